"""The worker dies with its scheduler: the web process says so, to people."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import people, servers
from tests.faults.workers import wait_until
from tests.monitoring.channels import sinks

_PATIENCE_S = 60.0
_SETTINGS = {"ENVIRONMENT": "development", "HEALTH_CHECK_INTERVAL": "5"}
_WEB_EVALUATES_SOON = """
from monitoring.models import AlertRule
AlertRule.objects.filter(name="beat-silent").update(threshold=20, for_s=1)
AlertRule.objects.exclude(name="beat-silent").update(is_enabled=False)
print("null")
"""
_EVALUATED_AGO = """
from django.utils import timezone
from monitoring.models import Watch
watch = Watch.objects.first()
print((timezone.now() - watch.evaluated_at).total_seconds() if watch else "null")
"""


@pytest.fixture
def hook() -> Iterator[sinks.WebSink]:
    with sinks.web() as sink:
        yield sink


def _told(hook: sinks.WebSink) -> list[tuple[str, str]]:
    """Return each alert that the hook was told of, and its state."""
    documents = [json.loads(posted.body) for posted in hook.posted]
    return [
        (alert["name"], alert["state"])
        for document in documents
        for alert in document["data"].get("alerts", [])
    ]


@pytest.mark.slow
def test_that_the_worker_is_dead_reaches_people_and_that_it_is_back_too(
    tmp_path: Path, local_gemini: str, hook: sinks.WebSink
) -> None:
    settings = _SETTINGS | {
        "ALERT_WEBHOOK_URL": hook.url,
        "ALERT_WEBHOOK_SECRET": "a-secret-of-sixteen-characters-or-more",
    }
    with servers.site(
        tmp_path / "site", gemini_url=local_gemini, workers=1, **settings
    ) as site:
        people.run(site, _WEB_EVALUATES_SOON)
        with servers.worker(site):  # which is killed at the end
            wait_until(
                lambda: people.run(site, _EVALUATED_AGO) is not None, _PATIENCE_S
            )
            assert _told(hook) == []

        wait_until(lambda: ("beat-silent", "firing") in _told(hook), _PATIENCE_S)
        assert "watchdog.stands_in" in site.log()

        with servers.worker(site):
            wait_until(lambda: "watchdog.stands_down" in site.log(), _PATIENCE_S)
            wait_until(lambda: ("beat-silent", "resolved") in _told(hook), _PATIENCE_S)
