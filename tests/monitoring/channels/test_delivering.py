"""A message is tried until it arrives or is given up, and never lost."""

import itertools
import json
import logging
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from django.db import OperationalError
from pytest_django import Settings

from monitoring import leases
from monitoring.channels import kinds, outbox, posting, sending
from monitoring.channels.message import Draft
from monitoring.models import Alert, Delivery
from tests.monitoring.channels import sinks
from tests.monitoring.channels.conftest import WEBHOOK_SECRET, use_mail, use_webhook

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def _put(*channels: str, subject: str = "It is down") -> list[Delivery]:
    draft = Draft(
        severity="critical", subject=subject, text="Look.", payload={"kind": "alerts"}
    )
    outbox.put(draft, channels=channels or ("webhook",))
    Delivery.objects.filter(attempt_count=0).update(created_at=NOW, due_at=NOW)
    return list(Delivery.objects.order_by("pk"))


def _only() -> Delivery:
    return Delivery.objects.get()


def test_what_is_due_is_sent_once(webhook: sinks.WebSink) -> None:
    _put()

    assert sending.deliver(NOW) == 1
    assert sending.deliver(NOW + timedelta(days=1)) == 0
    assert json.loads(webhook.posted[0].body)["subject"] == "It is down"
    assert len(webhook.posted) == 1
    assert (_only().state, _only().error) == ("sent", "")
    assert _only().sent_at


def test_what_an_alert_calls_for_is_due_at_once(webhook: sinks.WebSink) -> None:
    Alert.objects.create(
        name="down",
        severity="critical",
        summary="It is down.",
        state="firing",
        began_at=NOW - timedelta(seconds=60),
        fired_at=NOW - timedelta(seconds=60),
    )

    outbox.announce(NOW)

    assert sending.deliver(NOW) == 2
    assert b"It is down." in webhook.posted[0].body


def test_what_is_not_due_waits(webhook: sinks.WebSink) -> None:
    _put()

    assert sending.deliver(NOW - timedelta(seconds=1)) == 0
    assert webhook.posted == []


def test_after_a_clock_was_set_back_nothing_waits_for_ever(
    webhook: sinks.WebSink,
) -> None:
    _put()

    assert sending.deliver(NOW - sending.RETRY_AFTER[-1]) == 0
    assert sending.deliver(NOW - timedelta(hours=5)) == 1
    assert len(webhook.posted) == 1


def test_a_mail_is_tried_again_for_whom_the_server_put_off(settings: Settings) -> None:
    _put("email")
    with sinks.mail(refusal="450 try later", of="slow") as sink:
        use_mail(settings, sink.port)
        settings.ALERT_EMAIL_TO = ["slow@example.org", "ops@example.org"]
        assert sending.deliver(NOW) == 0
        assert sink.recipients == [["ops@example.org"]]
    assert "took the mail for 1 of 2 addresses" in _only().error

    with sinks.mail() as sink:
        use_mail(settings, sink.port)
        assert sending.deliver(NOW + timedelta(seconds=31)) == 1

    assert sink.recipients == [["slow@example.org"]]
    assert sink.mails[0]["X-Oracle-Delivery"] == _only().payload["id"]


def test_it_is_tried_later_and_later_and_then_given_up(settings: Settings) -> None:
    with sinks.web(sinks.saying(500, "no")) as sink:
        use_webhook(settings, sink.url)
        _put()
        waits, now = [], NOW
        while (delivery := _only()).state == "waiting":
            waits.append((delivery.due_at - NOW).total_seconds())
            now = max(now, delivery.due_at)
            sending.deliver(now)

    gaps = [round(b - a) for a, b in itertools.pairwise(waits)]
    assert gaps == [30, 120, 600, 3600, 14_400]
    assert len(sink.posted) == delivery.attempt_count == 6
    assert delivery.state == "failed"
    assert delivery.error == "127.0.0.1 answered 500: no"
    assert len({each.headers["X-Oracle-Delivery"] for each in sink.posted}) == 1


def test_what_was_given_up_can_be_tried_again(webhook: sinks.WebSink) -> None:
    (delivery,) = _put()
    Delivery.objects.update(state="failed", attempt_count=6)

    assert sending.try_again([delivery.pk], NOW) == 1
    assert sending.deliver(NOW) == 1
    assert _only().attempt_count == 1


def test_what_has_arrived_is_not_tried_again(webhook: sinks.WebSink) -> None:
    (delivery,) = _put()
    sending.deliver(NOW)

    assert sending.try_again([delivery.pk], NOW) == 0


def test_a_channel_that_hangs_keeps_no_other_waiting(
    settings: Settings, mail_sink: sinks.MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "DEADLINE_S", 0.5)
    with sinks.silent() as address:
        use_webhook(settings, f"http://{address}/")
        _put(*["webhook"] * 100)
        _put("email", "log")

        count = sending.deliver(NOW)

    assert count == 2
    assert len(mail_sink.mails) == 1
    assert Delivery.objects.filter(attempt_count=1, channel="webhook").count() == 1


def test_a_message_that_is_refused_does_not_stop_the_next(
    settings: Settings,
) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        is_bad = b"poison" in sink.posted[-1].body
        (sinks.saying(400) if is_bad else sinks.ok)(request)

    with sinks.web(answer) as sink:
        use_webhook(settings, sink.url)
        _put(subject="poison")
        _put(subject="fine")
        sending.deliver(NOW)

        sending.deliver(NOW + timedelta(seconds=15))

    assert Delivery.objects.get(state="sent").subject == "fine"


def test_what_a_dead_process_was_sending_is_sent_by_another(
    webhook: sinks.WebSink,
) -> None:
    _put()
    Delivery.objects.update(attempt_count=1, due_at=NOW + timedelta(seconds=60))

    assert sending.deliver(NOW + timedelta(seconds=59)) == 0
    assert sending.deliver(NOW + timedelta(seconds=60)) == 1


def test_one_process_at_a_time_sends(webhook: sinks.WebSink) -> None:
    _put()
    leases.hold("outbox", holder="another:host:1:2", ttl_s=60, now=NOW)

    assert sending.deliver(NOW) == 0
    assert sending.deliver(NOW + timedelta(seconds=61)) == 1


def test_what_another_process_took_meanwhile_is_left_to_it(
    webhook: sinks.WebSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_meanwhile(self: kinds.Kind, message: object) -> str:
        soon = NOW + timedelta(seconds=60)
        found = Delivery.objects.filter(channel="webhook", attempt_count=0)
        found.update(due_at=soon, attempt_count=1)
        return "It was sent."

    _put("log", "webhook")
    monkeypatch.setattr(kinds.Kind, "send", taken_meanwhile)

    assert sending.deliver(NOW) == 1
    found = Delivery.objects.get(channel="webhook")
    assert (found.state, found.attempt_count) == ("waiting", 1)


def test_a_channel_that_was_switched_off_since_is_a_failure(
    settings: Settings,
) -> None:
    _put("slack")

    sending.deliver(NOW)

    assert _only().error == "The channel slack is not configured: set ALERT_SLACK_URL."
    assert _only().state == "waiting"


def test_our_own_mistake_is_a_failure_too(
    webhook: sinks.WebSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: kinds.Kind, message: object) -> str:
        raise OperationalError("canary")

    _put()
    monkeypatch.setattr(kinds.Kind, "send", broken)

    sending.deliver(NOW)

    assert _only().error == "Our own trouble: OperationalError."


def test_no_secret_is_in_rows_or_logs(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        said = f"{WEBHOOK_SECRET} {sink.url} {request.path}"
        sinks.saying(500, said)(request)

    with sinks.web(answer) as sink, caplog.at_level(logging.DEBUG):
        path = "/services/T0/canary-of-the-path-0123456789"
        url = sink.url.replace("/hook", path)
        use_webhook(settings, url)
        settings.SECRETS = [*settings.SECRETS, path]
        _put(subject=f"The secret is {WEBHOOK_SECRET} at {url}")
        sending.deliver(NOW)

    row = str(Delivery.objects.values().get())
    assert "canary" not in row
    ours = [r for r in caplog.records if r.name.startswith("monitoring")]
    assert ours
    assert "canary" not in str([each.getMessage() for each in ours])


def test_a_mail_for_named_people_goes_to_them(mail_sink: sinks.MailSink) -> None:
    outbox.mail(to=["eve@example.org"], subject="Report", text="All is well.")
    Delivery.objects.update(due_at=NOW)

    sending.deliver(NOW)

    assert mail_sink.recipients == [["eve@example.org"]]


def test_a_mail_for_named_people_needs_only_a_server(
    settings: Settings, mail_sink: sinks.MailSink
) -> None:
    settings.ALERT_EMAIL_TO = []
    outbox.mail(to=["eve@example.org"], subject="Report", text="All is well.")
    Delivery.objects.update(due_at=NOW)

    assert sending.deliver(NOW) == 1


def test_what_keeps_failing_is_trouble_before_it_is_given_up(
    settings: Settings,
) -> None:
    with sinks.web(sinks.saying(500)) as sink:
        use_webhook(settings, sink.url)
        _put()
        seen = []
        for _ in range(6):
            due_at = _only().due_at
            sending.deliver(due_at)
            seen.append(sending.in_trouble(since=due_at - timedelta(hours=1)))

    assert seen == [{}, {}, {}, *[{"webhook": 1}] * 3]
    assert _only().state == "failed"
    assert sending.in_trouble(since=_only().due_at + timedelta(hours=1)) == {}


def test_a_test_that_fails_is_no_trouble() -> None:
    _put()
    Delivery.objects.update(state="failed", payload={"kind": "test", "id": "1"})

    assert sending.in_trouble(since=NOW - timedelta(hours=1)) == {}
