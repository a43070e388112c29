"""The monitoring endpoints of a site with two web processes and one more, by its rows.

Every number is worked out a second time, from the raw rows (`readings`).
"""

import json
import shutil
import statistics
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests import clients, servers
from tests.chat import persistent
from tests.faults import store
from tests.monitoring import readings
from tests.monitoring.readings import Raw

_BASE = "/api/v1/monitoring"
_DETAILED = f"{_BASE}/health/detailed"
_SESSIONS = f"{_BASE}/health/sessions"
_PERFORMANCE = f"{_BASE}/health/sessions/performance"
_ANALYTICS = f"{_BASE}/sessions/analytics"
_ALL = (_DETAILED, _SESSIONS, _PERFORMANCE, _ANALYTICS)
_ROUNDED = 0.0051
_SOMETIMES = {"timestamp", "took_ms", "sentence", "system", "oldest_session_age_hours"}


@pytest.fixture(scope="module")
def used(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site where both variants, all outcomes and errors have happened."""
    folder = tmp_path_factory.mktemp("used")
    with persistent.site(folder, gemini_url=local_gemini, workers=2) as running:
        one, two = running.worker_pids()
        with (
            clients.on_worker(running.url, one) as here,
            clients.on_worker(running.url, two) as there,
        ):
            _talk(running, here, there)
        yield running


def _talk(site: servers.Site, here: clients.Api, there: clients.Api) -> None:
    """Talk over both web processes; clean up and change the percent in a third."""
    shared, other = here.begin(), there.begin()
    for api, session in ((here, shared), (here, shared), (there, shared)):
        api.say(session, "Why is the sky blue?")  # created, hit, recovered there
    here.say(shared, "And at night?")  # topped up: the other process went on
    there.say(other, "Hello")
    assert there.ask(other, "[[blocked]] You may not say that").status_code == 422
    deleted = here.begin()
    here.say(deleted, "Forget this")
    here.call("DELETE", str(deleted))
    store.write(
        site,
        "UPDATE chat_livesession SET used_at = '2026-01-01' WHERE conversation_id = ?",
        other,
    )
    site.manage("run_job", "chat.clean_up_sessions")
    site.manage("rollout", "kill", "--reason", "a test")
    control = there.begin()
    for api in (here, there):
        api.say(control, "Why is grass green?")
    site.manage("rollout", "percent", "100", "--enable", "--reason", "a test")


@pytest.fixture(scope="module")
def raw(used: servers.Site) -> Raw:
    return readings.raw(used)


def _get(site: servers.Site, path: str) -> Any:
    answer = httpx2.get(f"{site.url}{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_site_has_seen_what_the_figures_are_about(raw: Raw) -> None:
    found = readings.found(raw)

    assert min(found["hit"], found["recovered"], found["topped_up"]) >= 1
    assert {turn["variant"] for turn in raw.turns} == {"on", "off"}
    assert readings.errors(raw)["by_code"] == {"RESPONSE_BLOCKED": 1}


def test_detailed_has_the_errors_and_the_totals_of_the_rows(
    used: servers.Site, raw: Raw
) -> None:
    said = _get(used, _DETAILED)

    status = said["errors"].pop("status")
    assert status == "attention"
    assert said["errors"] == readings.errors(raw)
    assert said["sessions"] == readings.stored(raw)
    assert said["database"] == {"status": "connected", "connection_test": "passed"}
    assert said["environment"] == {
        "gemini_api_key": "configured",
        "log_level": "INFO",
        "environment": "development",
        "persistent_sessions_enabled": True,
    }
    assert all(value > 0 for value in said["system"].values())


def test_sessions_are_counted_over_all_processes(used: servers.Site, raw: Raw) -> None:
    management = _get(used, _SESSIONS)["session_management"]

    found = readings.found(raw)
    valid = sum(found.values())
    cache, usage = management["cache_performance"], management["memory_usage"]
    assert management["active_sessions"] == len(raw.sessions)
    assert management["sessions_expired"] == 1
    totals = persistent.totals(used)
    assert management["total_sessions_created"] == totals["sessions_created"]
    assert management["sessions_recovered"] == totals["sessions_recovered"]
    assert cache["cache_hit_ratio"] == round(found["hit"] / valid, 4)
    assert (cache["cache_hits"], cache["samples"]) == (found["hit"], valid)
    assert cache["cache_misses"] == valid - found["hit"]
    sizes = sum(row["size_bytes"] for row in raw.sessions)
    assert usage["current_usage_mb"] == round(sizes / 1e6, 3)
    assert usage["usage_percentage"] == round(100 * len(raw.sessions) / 500, 2)
    recovery = management["session_recovery"]
    assert recovery["recovery_rate"] == round(found["recovered"] / valid, 4)
    assert recovery["total_recoveries"] == totals["sessions_recovered"]


def test_the_cleanup_is_that_of_the_third_process(used: servers.Site, raw: Raw) -> None:
    cleanup = _get(used, _SESSIONS)["session_management"]["cleanup_operations"]

    assert raw.last_cleanup is not None
    assert cleanup["last_cleanup"] == raw.last_cleanup.replace(" ", "T") + "Z"
    assert cleanup["cleanup_interval_seconds"] == 300
    assert cleanup["status"] == "healthy"
    assert cleanup["oldest_session_age_hours"] >= 0


def test_sessions_are_timed_and_savings_measured_against_control(
    used: servers.Site, raw: Raw
) -> None:
    metrics = _get(used, _SESSIONS)["performance_metrics"]
    said = _get(used, _PERFORMANCE)

    summary = said["performance_summary"]
    for what, outcome in (("creation", "created"), ("recovery", "recovered")):
        times = readings.session_times(raw, outcome)
        mean = pytest.approx(statistics.fmean(times), abs=_ROUNDED)
        for part in (metrics[f"session_{what}"], summary[f"session_{what}"]):
            assert part["total_operations"] == len(times)
            assert part[f"avg_{what}_time_ms"] == mean
        spread = summary[f"session_{what}"]
        assert spread[f"min_{what}_time_ms"] == pytest.approx(min(times), abs=_ROUNDED)
        assert spread[f"max_{what}_time_ms"] == pytest.approx(max(times), abs=_ROUNDED)
    saved = pytest.approx(readings.saved_percent(raw), abs=_ROUNDED)
    sooner = pytest.approx(readings.sooner_percent(raw), abs=_ROUNDED)
    assert metrics["token_usage"]["measured_reduction_percent"] == saved
    assert metrics["token_usage"]["estimated_reduction_percent"] == saved
    assert summary["token_usage"]["estimated_reduction_percent"] == saved
    assert summary["response_times"]["estimated_improvement_percent"] == sooner
    assert said["estimated_improvements"] == {
        "token_usage_reduction_percent": saved,
        "response_time_improvement_percent": sooner,
    }
    assert len(said["optimization_insights"]) == 4


def test_analytics_has_exact_percentiles_of_all_processes(
    used: servers.Site, raw: Raw
) -> None:
    said = _get(used, _ANALYTICS)

    metrics = said["session_metrics"]
    activity = max(row["updated_at"] for row in raw.conversations)
    assert metrics.pop("last_activity") == activity.replace(" ", "T") + "Z"
    assert metrics.pop("session_operations_count") == len(raw.samples)
    assert metrics.pop("message_operations_count") == len(raw.turns)
    assert metrics == readings.stored(raw)
    times = [turn["duration_ms"] for turn in raw.turns]
    for name, expected in (("send_message", times), ("create_session", raw.samples)):
        assert said["operation_performance"][name] == pytest.approx(
            readings.operation(expected), abs=_ROUNDED
        )


@pytest.mark.parametrize("path", _ALL)
def test_every_process_says_the_same(used: servers.Site, path: str) -> None:
    answers = []
    for pid in used.worker_pids():
        with clients.on_worker(used.url, pid) as api:
            answers.append(_steady(api.http.get(path).json()))

    assert answers[0] == answers[1]


@pytest.mark.parametrize("path", _ALL)
def test_the_last_slash_does_not_matter(used: servers.Site, path: str) -> None:
    assert _steady(_get(used, f"{path}/")) == _steady(_get(used, path))


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq"
)
def test_the_lines_of_the_deployment_guide_print_what_the_rows_say(
    used: servers.Site, raw: Raw
) -> None:
    def line(path: str, field: str) -> str:
        command = f"curl -s {used.url}{path} | jq -r '{field}'"
        return subprocess.check_output(["sh", "-c", command], text=True).strip()

    found = readings.found(raw)
    times = [turn["duration_ms"] for turn in raw.turns]
    ratio = ".session_management.cache_performance.cache_hit_ratio"
    average = ".operation_performance.send_message.avg_duration_ms"
    assert line("/health", ".status") in {"healthy", "degraded"}
    assert line("/health", ".services.persistent_sessions") == "enabled"
    assert line(_DETAILED, ".errors.error_rate_per_hour") == "1"
    assert 0 < float(line(_DETAILED, ".system.memory_usage_percent")) <= 100
    assert line(_SESSIONS, ".session_management.active_sessions") == str(
        len(raw.sessions)
    )
    assert float(line(_SESSIONS, ratio)) == round(found["hit"] / sum(found.values()), 4)
    assert float(line(_ANALYTICS, average)) == pytest.approx(
        statistics.fmean(times), abs=_ROUNDED
    )


def _steady(said: Any) -> Any:
    """Leave out what changes from one moment to the next."""
    if isinstance(said, dict):
        return {
            name: _steady(value)
            for name, value in said.items()
            if name not in _SOMETIMES
        }
    return json.loads(json.dumps(said))
