"""People in front of the incident pages."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

SignIn = Callable[..., Client]


@pytest.fixture
def sign_in(db: None, settings: Settings) -> SignIn:
    """Sign a new member of the staff in, who has these permissions of monitoring."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        }
    }

    def signed_in(name: str, *codenames: str) -> Client:
        user = User.objects.create_user(name, is_staff=True)
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
    """Somebody who may work on incidents."""
    return sign_in("alice", "view_alert", "operate")


@pytest.fixture
def viewer(sign_in: SignIn) -> Client:
    """Somebody who may look."""
    return sign_in("vera", "view_alert")
