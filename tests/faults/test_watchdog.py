"""The worker dies with its scheduler: the web process says so, to people."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import people, servers
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


def _worker(site: servers.Site) -> "subprocess.Popen[bytes]":
    with (site.data_dir / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "oracle_site.celery"),
                *("worker", "-B", "-c", "2", "--loglevel", "INFO"),
            ],
            cwd=servers.ROOT,
            env=site.env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _kill(worker: "subprocess.Popen[bytes]") -> None:
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.5)


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
        worker = _worker(site)
        try:
            _wait_until(lambda: people.run(site, _EVALUATED_AGO) is not None)
            assert _told(hook) == []

            _kill(worker)
            _wait_until(lambda: ("beat-silent", "firing") in _told(hook))
            assert "watchdog.stands_in" in site.log()

            worker = _worker(site)
            _wait_until(lambda: "watchdog.stands_down" in site.log())
            _wait_until(lambda: ("beat-silent", "resolved") in _told(hook))
        finally:
            _kill(worker)
