"""A site whose database is gone says so, quickly and in the usual shape."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest

from monitoring import health, registry
from tests import people, servers
from tests.chat import persistent

_BASE = "/api/v1/monitoring"
_PATHS = [
    f"{_BASE}/{path}"
    for path in (
        "health/detailed",
        "health/sessions",
        "health/sessions/performance",
        "sessions/analytics",
    )
]
_KNOWN = {"status", "timestamp", "version", "database_status", "checks", "system"}
_PATIENCE_S = 5.0


@pytest.fixture(scope="module")
def before() -> dict[str, Any]:
    """What each address said while the database was there."""
    return {}


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def ruined(
    local_gemini: str,
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[str, Any],
    tokens: dict[str, str],
) -> Iterator[servers.Site]:
    """A site whose database file is overwritten while it runs."""
    folder = tmp_path_factory.mktemp("ruined")
    with persistent.site(folder, gemini_url=local_gemini) as running:
        somebody = people.name("somebody")
        tokens |= people.add_users(running, somebody)[somebody]
        for path in _PATHS:
            before[path] = httpx2.get(f"{running.url}{path}").json()
        assert httpx2.get(f"{running.url}/readyz").status_code == 200
        for file in folder.glob("oracle.sqlite3*"):
            file.write_bytes(b"ruined" * 10_000)
        yield running


@pytest.mark.parametrize("path", _PATHS)
def test_every_field_is_there_and_null(
    ruined: servers.Site, before: dict[str, Any], path: str
) -> None:
    began_at = time.monotonic()

    answer = httpx2.get(f"{ruined.url}{path}")

    assert time.monotonic() - began_at < _PATIENCE_S
    assert answer.status_code == 200
    said = answer.json()
    assert _names(said) == _names(before[path])
    unknown = {name: part for name, part in said.items() if name not in _KNOWN}
    for name in ("database", "environment", "optimization_insights"):
        unknown.pop(name, None)
    assert set(_values(unknown)) == {None}


@pytest.mark.parametrize("path", _PATHS)
def test_the_words_say_that_it_is_gone(ruined: servers.Site, path: str) -> None:
    said = httpx2.get(f"{ruined.url}{path}").json()

    if "database" in said:
        assert said["database"] == {
            "status": "disconnected",
            "connection_test": "failed",
        }
        assert said["environment"]["persistent_sessions_enabled"] is None
        assert said["environment"]["gemini_api_key"] == "configured"
    else:
        assert said["database_status"] == "disconnected"
    assert said.get("status", "unhealthy") == "unhealthy"


def test_the_checks_say_what_is_wrong_and_what_is_not(ruined: servers.Site) -> None:
    checks = httpx2.get(f"{ruined.url}{_PATHS[0]}").json()["checks"]

    statuses = {name: check["status"] for name, check in checks.items()}
    assert statuses["database"] == statuses["database_write"] == "unhealthy"
    assert statuses["beat"] == statuses["worker"] == "degraded"
    assert statuses["disk"] == statuses["logs"] == "healthy"


def test_a_token_that_cannot_be_looked_up_is_no_wrong_token(
    ruined: servers.Site, tokens: dict[str, str]
) -> None:
    with people.by_token(ruined.url, tokens["monitoring"]) as holder:
        answer = holder.get(_PATHS[0])

    assert (answer.status_code, answer.json()["error_code"]) == (503, "DATABASE_ERROR")


def test_the_process_lives_and_is_not_ready(ruined: servers.Site) -> None:
    alive = httpx2.get(f"{ruined.url}/livez")
    ready = httpx2.get(f"{ruined.url}/readyz")

    assert (alive.status_code, alive.json()["status"]) == (200, "alive")
    assert (ready.status_code, ready.json()["status"]) == (503, "not_ready")
    assert "database: It can't be read: DatabaseError." in ready.json()["reasons"]


def test_the_command_is_as_clear(ruined: servers.Site) -> None:
    done = servers.exit_of(ruined.env, "health")

    assert done.code == 2
    assert "It can't be read: DatabaseError." in done.text
    assert "Traceback" not in done.text


def test_the_figures_for_prometheus_are_missing_and_not_wrong(
    ruined: servers.Site,
) -> None:
    answer = httpx2.get(f"{ruined.url}/metrics")

    assert (answer.status_code, answer.json()["error_code"]) == (503, "DATABASE_ERROR")


def test_what_is_wrong_is_no_traceback_in_any_answer(ruined: servers.Site) -> None:
    for path in (*_PATHS, "/health", "/readyz"):
        assert "Traceback" not in httpx2.get(f"{ruined.url}{path}").text


@pytest.mark.django_db
def test_a_database_that_says_nothing_is_reported_without_asking_it() -> None:
    health.report()

    report = health.report_of_silence()

    assert report["status"] == "unhealthy"
    assert report["services"]["database"] == "disconnected"
    assert report["services"]["persistent_sessions"] in {"enabled", "disabled"}
    assert report["services"].keys() == health.report()["services"].keys()
    assert set(report["session_metrics"].values()) == {None}
    assert registry.service_names()


def _names(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names of all fields; what is counted by code has names of its own."""
    return {
        name: _names(value)
        if isinstance(value, Mapping) and name != "by_code"
        else None
        for name, value in said.items()
    }


def _values(said: Any) -> Iterator[Any]:
    if isinstance(said, Mapping):
        for value in said.values():
            yield from _values(value)
    else:
        yield said
