"""The sign of life: sent each minute, and different while a check is unhealthy."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from monitoring import jobs
from monitoring.channels import ping, posting
from monitoring.models import CheckResult, Watch
from tests.monitoring.channels import sinks

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def _found(name: str, status: str, *, ago_s: int) -> None:
    CheckResult.objects.create(
        name=name,
        status=status,
        sentence="x",
        took_ms=1,
        at=NOW - timedelta(seconds=ago_s),
    )


def test_without_an_address_nothing_is_sent() -> None:
    assert ping.send(NOW) == 0


def test_it_says_that_we_live(settings: Settings, web_sink: sinks.WebSink) -> None:
    settings.HEARTBEAT_URL = web_sink.url
    _found("disk", "degraded", ago_s=60)

    assert ping.send(NOW) == 1
    assert [(each.path, each.body) for each in web_sink.posted] == [("/hook", b"alive")]


def test_it_says_what_is_unhealthy_now(
    settings: Settings, web_sink: sinks.WebSink
) -> None:
    settings.HEARTBEAT_URL = web_sink.url
    _found("disk", "healthy", ago_s=400)
    _found("disk", "unhealthy", ago_s=100)
    _found("database", "unhealthy", ago_s=400)
    _found("database", "healthy", ago_s=100)
    _found("memory", "unhealthy", ago_s=3600)

    ping.send(NOW)

    (posted,) = web_sink.posted
    assert (posted.path, posted.body) == ("/hook/fail", b"unhealthy: disk")


@pytest.mark.parametrize(
    ("ago", "body"),
    [
        (timedelta(minutes=14), b"alive"),
        (timedelta(minutes=16), b"unhealthy: alerts"),
        (timedelta(hours=-3), b"alive"),  # a clock was set back
    ],
)
def test_it_tells_when_nobody_evaluates_the_rules(
    settings: Settings, web_sink: sinks.WebSink, ago: timedelta, body: bytes
) -> None:
    settings.HEARTBEAT_URL = web_sink.url
    Watch.objects.create(evaluated_at=NOW - ago)

    ping.send(NOW)

    assert web_sink.posted[0].body == body


@pytest.mark.parametrize(
    ("url", "failing"),
    [
        ("https://hc.example.org/uuid", "https://hc.example.org/uuid/fail"),
        ("https://hc.example.org/uuid/", "https://hc.example.org/uuid/fail"),
        ("https://hc.example.org/uuid?rid=1", "https://hc.example.org/uuid/fail?rid=1"),
    ],
)
def test_trouble_has_an_address_of_its_own(url: str, failing: str) -> None:
    assert ping.failing(url) == failing


def test_a_watcher_that_is_away_is_logged_without_its_address(
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "DEADLINE_S", 0.3)
    with sinks.silent() as address, caplog.at_level(logging.DEBUG):
        settings.HEARTBEAT_URL = f"http://{address}/canary"
        assert ping.send(NOW) == 0

    assert "ping.failed" in caplog.text
    ours = [r for r in caplog.records if r.name.startswith("monitoring")]
    assert "canary" not in str([each.getMessage() for each in ours])


def test_it_is_a_job_of_the_schedule() -> None:
    every_s = {job.name: job.every_s for job in jobs.registered()}

    assert every_s["monitoring.ping"] == 60
