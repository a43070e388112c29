"""People in front of the control page."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

SignIn = Callable[..., Client]


@pytest.fixture
def sign_in(db: None, settings: Settings) -> SignIn:
    """Sign a new member of the staff in, who has these permissions of flags."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        }
    }

    def signed_in(name: str, *codenames: str) -> Client:
        user = User.objects.create_user(name, is_staff=True)
        allowed = Permission.objects.filter(
            content_type__app_label="flags", codename__in=codenames
        )
        user.user_permissions.set(allowed)
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def alice(sign_in: SignIn) -> Client:
    """An operator."""
    return sign_in("alice", "view_flag", "operate")


@pytest.fixture
def bob(sign_in: SignIn) -> Client:
    """Another operator."""
    return sign_in("bob", "view_flag", "operate")


@pytest.fixture
def viewer(sign_in: SignIn) -> Client:
    """Somebody who may look."""
    return sign_in("vera", "view_flag")
