"""The lines of the earlier edition's guide, asked of a running site.

Each of its `curl … | jq -r PATH` must print what the raw rows say.
"""

import statistics
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import httpx2
import psutil
import pytest

from tests import clients, servers
from tests.chat import persistent
from tests.monitoring import readings
from tests.monitoring.readings import Raw

_DETAILED = "/api/v1/monitoring/health/detailed"
_SESSIONS = "/api/v1/monitoring/health/sessions"
_ANALYTICS = "/api/v1/monitoring/sessions/analytics"
_ROUNDED = 0.0006


@pytest.fixture(scope="module")
def used(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site of two processes with good turns, a failed one and live sessions."""
    folder = tmp_path_factory.mktemp("guide")
    with persistent.site(folder, gemini_url=local_gemini, workers=2) as running:
        for pid in running.worker_pids():
            with clients.on_worker(running.url, pid) as here:
                session = here.begin()
                for text in ("Good day", "And you?", "Good night"):
                    here.say(session, text)
                here.ask(session, "[[blocked]] You may not say that")
        yield running


@pytest.fixture(scope="module")
def raw(used: servers.Site) -> Raw:
    return readings.raw(used)


def _printed(site: servers.Site, path: str, selector: str) -> Any:
    """Return what `curl -s URL | jq -r SELECTOR` finds."""
    told = httpx2.get(f"{site.url}{path}").json()
    return reduce(lambda part, name: part[name], selector[1:].split("."), told)


def _hit_ratio(raw: Raw) -> float:
    found = readings.found(raw)
    return found["hit"] / sum(found.values())


def _errors(raw: Raw) -> float:
    return sum(bool(turn["error_code"]) for turn in raw.turns)


def _average_ms(raw: Raw) -> float:
    return statistics.fmean(turn["duration_ms"] for turn in raw.turns)


@pytest.mark.parametrize(
    ("path", "selector", "expected"),
    [
        (
            _SESSIONS,
            ".session_management.cache_performance.cache_hit_ratio",
            _hit_ratio,
        ),
        (
            _SESSIONS,
            ".session_management.active_sessions",
            lambda raw: len(raw.sessions),
        ),
        (_DETAILED, ".errors.error_rate_per_hour", _errors),
        (
            _ANALYTICS,
            ".operation_performance.send_message.avg_duration_ms",
            _average_ms,
        ),
    ],
)
def test_a_line_of_the_guide_prints_the_number_of_the_rows(
    used: servers.Site,
    raw: Raw,
    path: str,
    selector: str,
    expected: Callable[[Raw], float],
) -> None:
    printed = _printed(used, path, selector)

    assert expected(raw) > 0
    assert printed == pytest.approx(expected(raw), abs=_ROUNDED)


def test_the_memory_line_prints_the_memory_of_the_machine(used: servers.Site) -> None:
    printed = _printed(used, _DETAILED, ".system.memory_usage_percent")

    assert printed == pytest.approx(psutil.virtual_memory().percent, abs=15)


def test_the_words_that_the_guides_scripts_compare_are_the_same(
    used: servers.Site,
) -> None:
    assert _printed(used, "/health", ".services.persistent_sessions") == "enabled"
    assert _printed(used, "/health", ".status") in {"healthy", "degraded"}
    assert _printed(used, "/health", ".version").count(".") == 2


def test_the_test_conversation_of_the_guide_can_be_made(used: servers.Site) -> None:
    made = httpx2.post(
        f"{used.url}/api/v1/sessions/", json={"title": "Deployment Test"}
    )

    assert isinstance(made.json()["id"], int)
