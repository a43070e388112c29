"""People in front of the rollout page."""

import pytest
from django.test import Client

from tests.flags.conftest import SignIn


@pytest.fixture
def petra(sign_in: SignIn) -> Client:
    """A second person, who may approve."""
    return sign_in("petra", "view_flag", "operate", "approve")
