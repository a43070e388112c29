"""Lists of the admin that are to look at only."""

import pytest
from django.test import Client
from django.urls import reverse

from monitoring.models import Delivery
from tests.chat import stored
from tests.monitoring.conftest import SignIn

pytestmark = pytest.mark.django_db

DELIVERIES = "/admin/monitoring/delivery/"


@pytest.fixture(autouse=True)
def _deliveries() -> None:
    for channel in ("email", "webhook"):
        Delivery.objects.create(
            channel=channel, severity="info", subject=f"By {channel}", text="Words."
        )


@pytest.mark.parametrize("query", ["", "?channel__exact=email", "?o=-2&p=0"])
def test_a_list_is_filtered_by_its_own_filters(viewer: Client, query: str) -> None:
    shown = viewer.get(f"{DELIVERIES}{query}")

    assert shown.status_code == 200
    assert "By email" in shown.content.decode()
    assert ("By webhook" in shown.content.decode()) is ("email" not in query)


@pytest.mark.parametrize(
    "query", ["subject__regex=^(a%2B)%2B$", "text__startswith=W", "channel__contains=e"]
)
def test_no_address_asks_for_anything_else(viewer: Client, query: str) -> None:
    assert viewer.get(f"{DELIVERIES}?{query}").status_code == 400


def test_nobody_guesses_words_that_a_page_keeps_to_itself(sign_in: SignIn) -> None:
    conversation = stored.conversation(title="Am I ill?")
    client = sign_in("vera", group="viewer")
    listed = reverse("admin:chat_conversation_changelist")
    assert f"/{conversation.pk}/" in client.get(listed).content.decode()

    asked = client.get(listed, {"title__startswith": "Am I"})

    assert asked.status_code == 400
