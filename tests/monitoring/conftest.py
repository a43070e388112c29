"""Staff in front of monitoring's pages, without a browser."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from pytest_django import Settings

SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _plain_files(settings: Settings) -> None:
    """Let pages name static files that nobody has collected."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture
def sign_in(groups: None) -> SignIn:
    """Sign a new member of the staff in: of a group, or with some permissions only."""

    def signed_in(name: str, *codenames: str, group: str = "") -> Client:
        user = User.objects.create_user(name, is_staff=True)
        user.groups.set(Group.objects.filter(name=group))
        allowed = Permission.objects.filter(
            content_type__app_label="monitoring", codename__in=codenames
        )
        user.user_permissions.set(allowed)
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def operator(sign_in: SignIn) -> Client:
    """Somebody who may act."""
    return sign_in("alice", group="operator")


@pytest.fixture
def viewer(sign_in: SignIn) -> Client:
    """Somebody who may look."""
    return sign_in("vera", group="viewer")
