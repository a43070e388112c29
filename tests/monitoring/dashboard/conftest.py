"""Somebody in front of the dashboard, without a browser."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import RequestFactory

from monitoring.dashboard import pages

Show = Callable[..., Any]


@pytest.fixture
def viewer(groups: None) -> User:
    """Somebody who may look."""
    user = User.objects.create_user("vera", is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    return user


@pytest.fixture
def show(viewer: User) -> Show:
    """Return the dashboard as the viewer sees it."""

    def shown(**asked: str) -> Any:
        request = RequestFactory().get("/admin/", asked)
        request.user = viewer
        return pages.dashboard(request)

    return shown
