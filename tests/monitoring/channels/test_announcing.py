"""Who is told of which alert, when, and in how many messages."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from monitoring.channels import due, outbox
from monitoring.models import Alert, AlertRule, Channel, Delivery, Silence

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def _s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _fired(name: str = "slow", *, ago_s: float = 60, **given: object) -> Alert:
    at = NOW - _s(ago_s)
    fields = {
        "severity": "warning",
        "summary": f"It is {name}.",
        "state": "firing",
        "began_at": at,
        "fired_at": at,
    }
    return Alert.objects.create(name=name, **{**fields, **given})


def _end(alert: Alert, *, at: datetime) -> None:
    Alert.objects.filter(pk=alert.pk).update(state="resolved", resolved_at=at)


def _messages() -> list[Delivery]:
    return list(Delivery.objects.order_by("pk"))


def test_nothing_to_tell_takes_one_look(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        assert outbox.announce(NOW) == 0


@pytest.mark.parametrize(("severity", "wait_s"), due.GROUP_WAIT_S.items())
def test_a_new_one_waits_for_others(severity: str, wait_s: int) -> None:
    _fired(ago_s=0, severity=severity)

    assert outbox.announce(NOW + _s(wait_s - 1)) == 0
    assert outbox.announce(NOW + _s(wait_s)) == 1


def test_those_that_came_while_it_waited_go_with_it() -> None:
    _fired("slow", ago_s=30)
    _fired("full", ago_s=1)

    outbox.announce(NOW)

    (message,) = _messages()
    assert message.subject == "[WARNING] 2 alerts: slow, full"
    assert not outbox.announce(NOW + _s(60))


def test_each_severity_has_a_message_of_its_own() -> None:
    _fired("slow")
    _fired("down", severity="critical")

    assert outbox.announce(NOW) == 2
    assert {each.severity for each in _messages()} == {"warning", "critical"}


def test_a_storm_is_one_message_with_the_first_twenty() -> None:
    for number in range(133):
        _fired("slow", label=f"part-{number}", ago_s=60 - number / 100)

    outbox.announce(NOW)

    (message,) = _messages()
    assert message.subject == "[WARNING] 133 alerts: slow"
    assert message.text.count("- slow") == 20
    assert message.text.endswith("and 113 more.")
    assert message.payload["more_count"] == 113
    assert Alert.objects.filter(notified_at=NOW).count() == 133


def test_it_is_told_again_after_the_time_of_its_rule() -> None:
    rule = AlertRule.objects.create(
        name="slow-rule", metric="m", window_s=60, threshold=1, repeat_s=600
    )
    _fired(rule=rule)
    outbox.announce(NOW)

    assert outbox.announce(NOW + _s(599)) == 0
    assert outbox.announce(NOW + _s(600)) == 1
    assert "Still on:" in _messages()[-1].text
    assert outbox.announce(NOW + _s(601)) == 0


def test_a_rule_may_say_never_again() -> None:
    rule = AlertRule.objects.create(
        name="slow-rule", metric="m", window_s=60, threshold=1, repeat_s=0
    )
    _fired(rule=rule)
    outbox.announce(NOW)

    assert outbox.announce(NOW + timedelta(days=30)) == 0


def test_what_somebody_acknowledged_is_not_repeated_but_its_end_is_told() -> None:
    alert = _fired()
    outbox.announce(NOW)
    Alert.objects.update(acknowledged_at=NOW, acknowledged_by="alice")

    assert outbox.announce(NOW + timedelta(days=1)) == 0
    _end(alert, at=NOW + timedelta(days=1))
    assert outbox.announce(NOW + timedelta(days=1)) == 1


def test_the_end_is_told_once_with_how_long_it_lasted() -> None:
    alert = _fired()
    outbox.announce(NOW)
    _end(alert, at=NOW + _s(720))

    assert outbox.announce(NOW + _s(730)) == 1
    assert outbox.announce(NOW + _s(790)) == 0
    message = _messages()[-1]
    assert message.subject == "[RESOLVED] slow: It is slow."
    assert message.text.startswith("Resolved:\n- slow: It is slow.")
    assert "it lasted 13 min" in message.text


def test_what_ended_before_it_was_told_is_not_told() -> None:
    _end(_fired(ago_s=5), at=NOW)

    assert outbox.announce(NOW + _s(60)) == 0


def test_a_pending_one_is_not_told() -> None:
    _fired(state="pending", fired_at=None)

    assert outbox.announce(NOW) == 0


@pytest.mark.parametrize(
    ("silence", "is_told"),
    [
        ({"name": "slow"}, False),
        ({"name": ""}, False),
        ({"name": "slow", "label": "web"}, False),
        ({"name": "slow", "label": "other"}, True),
        ({"name": "full"}, True),
        ({"name": "slow", "starts_at": NOW + _s(1)}, True),
        ({"name": "slow", "ends_at": NOW}, True),
    ],
)
def test_what_is_silenced_is_not_told(
    silence: dict[str, object], is_told: bool
) -> None:
    _fired(label="web")
    fields = {"starts_at": NOW - _s(60), "ends_at": NOW + _s(60), **silence}
    Silence.objects.create(reason="work", created_by="alice", **fields)

    assert outbox.announce(NOW) == int(is_told)


def test_what_still_fires_when_the_silence_ends_is_told_then() -> None:
    _fired()
    Silence.objects.create(
        name="slow",
        starts_at=NOW - _s(60),
        ends_at=NOW + _s(60),
        reason="work",
        created_by="alice",
    )
    outbox.announce(NOW)

    assert outbox.announce(NOW + _s(60)) == 1


def test_a_channel_hears_only_of_its_severity_and_above(
    settings: Settings,
) -> None:
    settings.EMAIL_HOST, settings.ALERT_EMAIL_TO = "mail", ["ops@example.org"]
    Channel.objects.create(kind="email", min_severity="critical")
    Channel.objects.create(kind="log", is_enabled=False)
    _fired("slow")
    _fired("down", severity="critical")

    outbox.announce(NOW)

    assert [(each.channel, each.severity) for each in _messages()] == [
        ("email", "critical")
    ]
    assert Alert.objects.filter(notified_at=None).count() == 0


def test_a_clock_that_was_set_back_keeps_nothing_untold() -> None:
    _fired(ago_s=-7200)

    assert outbox.announce(NOW) == 1


def test_a_clock_that_was_set_back_tells_nothing_at_every_look() -> None:
    _fired()
    outbox.announce(NOW)

    told = [outbox.announce(NOW - timedelta(hours=1) + _s(each)) for each in range(5)]

    assert sum(told) == 1


def test_a_message_has_links_where_the_site_has_a_name(
    settings: Settings,
) -> None:
    settings.SITE_URL = "https://chat.example.org"
    _fired(runbook="docs/RUNBOOK.md#alert-slow", value=3.14159)

    outbox.announce(NOW)

    (message,) = _messages()
    assert "docs/RUNBOOK.md#alert-slow" in message.text
    assert "https://chat.example.org" in message.text
    assert "now 3.142" in message.text


def test_hostile_words_stay_on_their_line() -> None:
    _fired(summary="It is\r\nBcc: eve@example.org\n\n<!channel> \x1b down" + "x" * 500)

    outbox.announce(NOW)

    (message,) = _messages()
    assert "\n" not in message.subject
    assert "\r" not in message.subject
    assert len(message.subject) <= 200
    assert "\x1b" not in message.subject


def test_an_old_value_is_not_told_as_one_of_now() -> None:
    rule = AlertRule.objects.create(
        name="slow", metric="latency_avg_ms", window_s=60, threshold=3000
    )
    since = NOW - _s(600)
    _fired(rule=rule, value=4000.0, frozen_since=since)
    _fired("full", value=0.97)

    outbox.announce(NOW)

    (message,) = _messages()
    assert "no data since 2026-11-26 11:50 UTC; last 4,000 ms" in message.text
    assert "now 0.97" in message.text
    frozen = {each["name"]: each["frozen_since"] for each in message.payload["alerts"]}
    assert frozen == {"slow": since.isoformat(), "full": None}


@pytest.mark.parametrize(
    ("metric", "value", "said"),
    [
        ("check_state", 2.0, "now unhealthy"),
        ("check_state", 1.0, "now degraded"),
        ("error_ratio", 0.125, "now 12.5 %"),
        ("job_failures", 3.0, "now 3 runs"),
    ],
)
def test_a_value_is_said_as_a_person_would(
    metric: str, value: float, said: str
) -> None:
    rule = AlertRule.objects.create(
        name="mine", metric=metric, window_s=60, threshold=1
    )
    _fired(rule=rule, value=value)

    outbox.announce(NOW)

    (message,) = _messages()
    assert message.text.splitlines()[2].endswith(said)
    assert message.payload["alerts"][0]["value"] == value
