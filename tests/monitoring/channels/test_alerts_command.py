"""The `alerts` command as an operator types it."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from monitoring.models import Alert, AlertRule, Delivery, Silence, Watch
from tests.monitoring.channels import sinks
from tests.monitoring.channels.conftest import use_webhook

pytestmark = pytest.mark.django_db


def _run(*words: str) -> str:
    out = io.StringIO()
    call_command("alerts", *words, stdout=out)
    return out.getvalue()


def _refusal(*words: str, code: int = 1) -> str:
    with pytest.raises(CommandError) as refused:
        _run(*words)
    assert refused.value.returncode == code
    return str(refused.value)


def test_nothing_is_wrong_on_a_fresh_site() -> None:
    assert "no alert is open" in _run("list")
    assert json.loads(_run("list", "--json")) == []


def test_what_is_raised_is_listed_acknowledged_and_ended() -> None:
    said = _run("raise", "warning", "It stopped.", "--name", "deploy", "--label", "web")
    alert = Alert.objects.get()
    assert f"Alert {alert.pk} is open" in said
    assert "raised 2 times" in _run(
        "raise", "warning", "It stopped.", "--name", "deploy", "--label", "web"
    )

    assert "deploy web: It stopped." in _run("list")
    _run("ack", str(alert.pk))
    assert "acknowledged by" in _run("list")
    assert "already" in _refusal("ack", str(alert.pk), code=3)

    _run("resolve", "deploy", "--label", "web")
    alert.refresh_from_db()
    assert alert.state == "resolved"


def test_without_a_name_there_is_one_for_all_that_is_by_hand() -> None:
    _run("raise", "info", "Look here.")

    assert Alert.objects.get().name == "by-hand"


def test_the_list_is_for_programs_too() -> None:
    _run("raise", "critical", "Über & <b>", "--name", "deploy")

    (row,) = json.loads(_run("list", "--json"))
    assert row["summary"] == "Über & <b>"
    assert (row["name"], row["state"]) == ("deploy", "firing")
    assert row["is_silenced"] is False


def test_what_steers_a_terminal_is_not_printed() -> None:
    Alert.objects.create(name="a", severity="info", state="firing", summary="\x1b[2Jx")

    assert "\x1b" not in _run("list")


def test_what_is_silenced_says_so() -> None:
    _run("raise", "warning", "It stopped.", "--name", "deploy")

    said = _run("silence", "deploy", "--for", "2h", "--reason", "known")

    silence = Silence.objects.get()
    left = silence.ends_at - timezone.now()
    assert timedelta(minutes=119) < left <= timedelta(hours=2)
    assert "Nobody is told of deploy until" in said
    assert "silenced" in _run("list")


def test_who_hears_of_begin_and_end_is_said_as_it_is() -> None:
    raising = ("raise", "warning", "It stopped.", "--name", "deploy", "--label")
    assert "people are told within a minute" in _run(*raising, "web")
    assert "nobody was told of it, nor" in _run("resolve", "deploy", "--label", "web")

    _run("silence", "deploy", "--for", "2h", "--reason", "known")
    until = f"before {Silence.objects.get().ends_at:%Y-%m-%d %H:%M} UTC"
    assert until in _run(*raising, "db")
    Alert.objects.update(notified_at=timezone.now())
    assert until in _run("resolve", "deploy", "--label", "db")

    Silence.objects.all().delete()
    _run(*raising, "disk")
    Alert.objects.update(notified_at=timezone.now())
    assert "people are told within" in _run("resolve", "deploy", "--label", "disk")


@pytest.mark.parametrize("span", ["2", "h", "0h", "-1h", "2 weeks", "1.5h", "999999d"])
def test_a_span_that_is_none_is_named(span: str) -> None:
    said = _refusal("silence", "deploy", f"--for={span}", "--reason", "x", code=2)

    assert f"--for {span}: expected a number and min, h or d" in said


def test_a_silence_too_long_or_of_nothing_is_refused() -> None:
    _run("raise", "warning", "It stopped.", "--name", "deploy")

    assert "30 days" in _refusal("silence", "deploy", "--for", "31d", "--reason", "x")
    assert "'deplyo'" in _refusal("silence", "deplyo", "--for", "1h", "--reason", "x")


def test_what_cannot_be_ended_says_why() -> None:
    assert "is open" in _refusal("resolve", "deploy")
    _run("raise", "warning", "It stopped.", "--name", "deploy", "--label", "web")
    assert "Open are: web" in _refusal("resolve", "deploy")
    rule = AlertRule.objects.create(name="r", metric="m", window_s=60, threshold=1)
    Alert.objects.update(rule=rule)
    assert "ends by itself" in _refusal("resolve", "deploy", "--label", "web")


def test_a_name_that_cannot_be_used_is_refused() -> None:
    assert "letters" in _refusal("raise", "info", "x", "--name", "two words")


def test_a_test_is_sent_and_kept(webhook: sinks.WebSink) -> None:
    assert _run("test", "webhook") == "The test was sent. 127.0.0.1 answered 200.\n"
    (posted,) = webhook.posted
    delivery = Delivery.objects.get()
    assert delivery.state == "sent"
    assert json.loads(posted.body)["id"] == delivery.payload["id"]


def test_a_test_that_fails_is_kept_and_not_tried_again(settings: Settings) -> None:
    with sinks.web(sinks.saying(500, "no")) as sink:
        use_webhook(settings, sink.url)
        said = _refusal("test", "webhook")

    assert said == "The test did not arrive. 127.0.0.1 answered 500: no"
    assert Delivery.objects.get().state == "failed"


def test_a_test_of_no_channel_says_which_there_are_and_what_to_set() -> None:
    assert "There are: log" in _refusal("test", "pigeon", code=2)
    assert "set ALERT_SLACK_URL" in _refusal("test", "slack", code=2)
    assert not Delivery.objects.exists()


def test_that_nobody_looks_is_not_said_as_that_nothing_is_wrong() -> None:
    Watch.objects.create(evaluated_at=timezone.now() - timedelta(minutes=16))

    said, warned = _run("list"), io.StringIO()
    call_command("alerts", "list", "--json", stdout=io.StringIO(), stderr=warned)

    for words in (said, warned.getvalue()):
        assert "Nobody has evaluated the alert rules since" in words
    assert "Nothing is wrong" not in said
    assert "No alert is open." in said


def test_what_a_rule_watches_is_not_raised_by_hand() -> None:
    rule = AlertRule.objects.get(name="disk-low")
    pending = Alert.objects.create(
        rule=rule, name=rule.name, severity="warning", summary="Low.", state="pending"
    )

    said = _refusal("raise", "critical", "The disk is full.", "--name", rule.name)

    pending.refresh_from_db()
    assert "give another --name" in said
    assert (pending.event_count, pending.summary) == (1, "Low.")
