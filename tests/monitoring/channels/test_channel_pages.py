"""The admin's pages of channels and deliveries."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from monitoring.channels import outbox
from monitoring.channels.message import Draft
from monitoring.models import Channel, Delivery
from tests.monitoring.channels import sinks
from tests.monitoring.channels.conftest import WEBHOOK_SECRET
from tests.monitoring.conftest import SignIn

pytestmark = pytest.mark.django_db

CHANNELS = "/admin/monitoring/channel/"
DELIVERIES = "/admin/monitoring/delivery/"


def _text(client: Client, page: str) -> str:
    answered = client.get(page)
    assert answered.status_code == 200
    return answered.content.decode()


def test_every_channel_is_listed_with_what_it_needs(
    operator: Client, webhook: sinks.WebSink
) -> None:
    shown = _text(operator, CHANNELS)

    assert "No: set ALERT_SLACK_URL" in shown
    assert "No: set EMAIL_HOST and ALERT_EMAIL_TO" in shown
    assert "Yes: 127.0.0.1" in shown
    assert "Yes: the log" in shown
    assert webhook.url not in shown
    assert WEBHOOK_SECRET not in shown


def test_a_webhook_needs_its_secret_too(
    operator: Client, webhook: sinks.WebSink, settings: Settings
) -> None:
    settings.ALERT_WEBHOOK_SECRET = ""

    assert "No: set ALERT_WEBHOOK_SECRET" in _text(operator, CHANNELS)


def test_looking_makes_no_row(operator: Client) -> None:
    shown = _text(operator, CHANNELS)
    page = f"{CHANNELS}email/change/"
    assert page in shown

    form = _text(operator, page)

    assert "None/history" not in form
    assert Channel.objects.count() == 0


def test_a_test_is_asked_for_and_sent(operator: Client, webhook: sinks.WebSink) -> None:
    page = reverse("admin:monitoring_channel_test", args=["webhook"])
    assert page in _text(operator, CHANNELS)
    assert "Send the test" in _text(operator, page)
    assert webhook.posted == []

    answered = operator.post(page, follow=True)

    assert "The test was sent. 127.0.0.1 answered 200." in answered.content.decode()
    assert b"by alice" in webhook.posted[0].body
    assert Delivery.objects.get().state == "sent"


def test_a_test_that_fails_says_why(operator: Client, settings: Settings) -> None:
    settings.ALERT_SLACK_URL = "http://127.0.0.1:1/services/canary"

    page = reverse("admin:monitoring_channel_test", args=["slack"])
    shown = operator.post(page, follow=True).content.decode()

    assert "The test did not arrive. 127.0.0.1 can&#x27;t be reached" in shown
    assert "canary" not in shown
    assert Delivery.objects.get().state == "failed"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_viewer_sends_nothing(
    viewer: Client, webhook: sinks.WebSink, method: str
) -> None:
    page = reverse("admin:monitoring_channel_test", args=["webhook"])

    assert getattr(viewer, method)(page).status_code == 403
    assert page not in _text(viewer, CHANNELS)
    assert webhook.posted == []


def test_a_test_of_what_is_not_configured_says_what_to_set(operator: Client) -> None:
    page = reverse("admin:monitoring_channel_test", args=["slack"])

    assert "set ALERT_SLACK_URL" in _text(operator, page)
    shown = operator.post(page, follow=True).content.decode()
    assert "set ALERT_SLACK_URL" in shown


def test_an_unknown_channel_is_not_found(operator: Client) -> None:
    page = reverse("admin:monitoring_channel_test", args=["pigeon"])

    assert operator.get(page).status_code == 404


def test_an_operator_sets_the_severity_and_nothing_else(operator: Client) -> None:
    form = {"min_severity": "critical", "is_enabled": "", "kind": "slack"}

    operator.post(f"{CHANNELS}email/change/", form)

    row = Channel.objects.get()
    assert (row.kind, row.min_severity, row.is_enabled) == ("email", "critical", False)
    operator.post(f"{CHANNELS}{row.pk}/change/", {**form, "min_severity": "info"})
    operator.post(f"{CHANNELS}email/change/", {**form, "is_enabled": "on"})
    row = Channel.objects.get()
    assert (row.min_severity, row.is_enabled) == ("critical", True)
    assert ">critical, once it is set up<" in _text(operator, CHANNELS)
    assert f"{CHANNELS}{row.pk}/history/" in _text(operator, f"{CHANNELS}email/change/")
    assert operator.get(f"{CHANNELS}add/").status_code == 403
    assert operator.get(f"{CHANNELS}{row.pk}/delete/").status_code == 403


def test_a_viewer_sets_nothing(viewer: Client) -> None:
    answered = viewer.post(f"{CHANNELS}email/change/", {"min_severity": "critical"})

    assert answered.status_code == 403
    assert Channel.objects.count() == 0


def test_who_may_not_look_sees_nothing(sign_in: SignIn) -> None:
    client = sign_in("sam")

    assert client.get(CHANNELS).status_code == 403
    assert client.get(DELIVERIES).status_code == 403


def _given_up() -> Delivery:
    draft = Draft(severity="critical", subject="It is down", text="x")
    outbox.put(draft, channels=["slack"])
    Delivery.objects.update(state="failed", attempt_count=6, error="It said no.")
    return Delivery.objects.get()


def _try_again(client: Client, *deliveries: Delivery) -> str:
    form = {
        "action": "try_again",
        "_selected_action": [each.pk for each in deliveries],
    }
    return client.post(DELIVERIES, form, follow=True).content.decode()


def test_what_was_given_up_is_seen_and_tried_again(operator: Client) -> None:
    delivery = _given_up()
    assert "It said no." in _text(operator, f"{DELIVERIES}?state__exact=failed")

    shown = _try_again(operator, delivery)

    delivery.refresh_from_db()
    assert delivery.state == "waiting"
    assert "1 will be tried again" in shown


def test_what_was_not_given_up_stays(operator: Client) -> None:
    delivery = _given_up()
    Delivery.objects.update(state="sent")

    assert "1 had not been given up" in _try_again(operator, delivery)
    delivery.refresh_from_db()
    assert delivery.state == "sent"


def test_a_viewer_tries_nothing_again(viewer: Client) -> None:
    delivery = _given_up()

    _try_again(viewer, delivery)

    delivery.refresh_from_db()
    assert delivery.state == "failed"


def test_the_last_failure_is_told_with_its_channel(operator: Client) -> None:
    _given_up()

    assert "It said no." in _text(operator, CHANNELS)


def test_a_delivery_is_to_look_at_only(operator: Client) -> None:
    delivery = _given_up()

    shown = _text(operator, f"{DELIVERIES}{delivery.pk}/change/")

    assert "It is down" in shown
    assert "<textarea" not in shown
