"""What `/health` says, when all is well and when it is not."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from django.conf import settings
from django.db import connection

from monitoring import health, jobs, registry
from monitoring.models import JobRun
from monitoring.registry import Health, Probe, Service
from tests import clients, servers
from tests.clients import FROM_ELSEWHERE, Api
from tests.faults import store

_PATHS = ("/health", "/livez", "/readyz")
_SERVICES = {
    "gemini_api": {"configured", "not_configured"},
    "database": {"connected", "disconnected"},
    "logging": {"active", "inactive"},
    "persistent_sessions": {"enabled", "disabled"},
}
_METRICS = {
    "total_sessions",
    "active_sessions",
    "total_messages",
    "persistent_sessions_active",
}


@pytest.fixture(scope="module")
def broken_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site without a key for the model, whose database a test may ruin."""
    with servers.site(
        tmp_path_factory.mktemp("broken"),
        gemini_url=local_gemini,
        workers=1,
        GEMINI_API_KEY="",
    ) as running:
        yield running


def test_health_has_every_field_of_the_contract(live_site: str) -> None:
    answer = httpx2.get(f"{live_site}/health")

    report = answer.json()
    assert answer.status_code == 200
    is_late = report["services"]["background_jobs"] == "late"  # no worker runs here
    assert report["status"] == ("degraded" if is_late else "healthy")
    assert report.keys() >= {"status", "timestamp", "version", "services"}
    for name, words in _SERVICES.items():
        assert report["services"][name] in words
    metrics = report["session_metrics"]
    assert metrics.keys() >= _METRICS
    assert all(type(metrics[name]) is int for name in _METRICS)
    age = datetime.now(UTC) - datetime.fromisoformat(report["timestamp"])
    assert abs(age.total_seconds()) < 10


@pytest.mark.parametrize("path", _PATHS)
def test_health_is_never_kept_by_a_cache(live_site: str, path: str) -> None:
    assert httpx2.get(f"{live_site}{path}").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", _PATHS)
def test_health_is_read_only(live_site: str, path: str) -> None:
    assert httpx2.head(f"{live_site}{path}").status_code == 200
    assert httpx2.get(f"{live_site}{path}/").status_code == 200
    assert httpx2.post(f"{live_site}{path}").status_code in {403, 405}


@pytest.mark.parametrize("path", _PATHS)
def test_health_is_for_everybody(live_site: str, path: str) -> None:
    assert httpx2.get(f"{live_site}{path}", headers=FROM_ELSEWHERE).status_code == 200


def test_a_site_that_works_is_alive_and_ready(live_site: str) -> None:
    alive = httpx2.get(f"{live_site}/livez").json()
    ready = httpx2.get(f"{live_site}/readyz").json()

    assert (alive["status"], ready["status"]) == ("alive", "ready")
    assert ready["reasons"] == []
    assert alive["version"] == ready["version"] == settings.VERSION


def test_a_site_whose_migrations_are_missing_is_not_ready(
    broken_site: servers.Site,
) -> None:
    migration = ("chat", "0002_persistent_sessions")
    is_it = "WHERE app = ? AND name = ?"
    store.write(broken_site, f"DELETE FROM django_migrations {is_it}", *migration)
    try:
        answer = httpx2.get(f"{broken_site.url}/readyz")
    finally:
        store.write(
            broken_site,
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES (?, ?, '2026-01-01')",
            *migration,
        )

    assert answer.status_code == 503
    assert answer.json()["reasons"] == [
        "migrations: Not applied: chat.0002_persistent_sessions."
    ]


def test_the_numbers_follow_what_happens(live_site: str) -> None:
    def numbers() -> dict[str, int]:
        found: dict[str, int] = httpx2.get(f"{live_site}/health").json()[
            "session_metrics"
        ]
        return found

    with Api(live_site) as api:
        kept, deleted = api.begin(), api.begin()
        before = numbers()
        api.say(kept, "Hello")
        api.call("DELETE", str(deleted))
        after = numbers()

    assert after["total_messages"] == before["total_messages"] + 2
    assert after["total_sessions"] == before["total_sessions"] - 1
    assert after["active_sessions"] == before["active_sessions"] - 1


def test_all_workers_give_the_same_numbers(site: servers.Site) -> None:
    answers = []
    for pid in site.worker_pids():
        with clients.on_worker(site.url, pid) as api:
            answers.append(api.http.get("/health").json()["session_metrics"])

    assert answers[0] == answers[1]


def test_a_site_without_a_key_is_degraded_and_still_up(
    broken_site: servers.Site,
) -> None:
    answer = httpx2.get(f"{broken_site.url}/health")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["services"]["gemini_api"] == "not_configured"


def test_a_ruined_database_is_unhealthy_and_says_so(
    broken_site: servers.Site,
) -> None:
    assert httpx2.get(f"{broken_site.url}/health").status_code == 200
    files = list(broken_site.data_dir.glob("oracle.sqlite3*"))
    kept = {path: path.read_bytes() for path in files}
    try:
        for path in files:
            path.write_bytes(b"ruined" * 10_000)

        answer = httpx2.get(f"{broken_site.url}/health")

        assert answer.status_code == 503
        assert answer.json()["status"] == "unhealthy"
        assert answer.json()["services"]["database"] == "disconnected"
        assert set(answer.json()["session_metrics"].values()) == {None}
    finally:
        _restore(kept)


def _restore(kept: dict[Path, bytes]) -> None:
    for path, content in kept.items():
        path.write_bytes(content)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "worst"),
    [
        (["healthy", "healthy"], "healthy"),
        (["healthy", "degraded"], "degraded"),
        (["unhealthy", "degraded"], "unhealthy"),
    ],
)
def test_the_worst_part_decides(
    monkeypatch: pytest.MonkeyPatch, words: list[str], worst: str
) -> None:
    parts = {f"part{n}": Service("some word", word) for n, word in enumerate(words)}
    checks = {name: (lambda part=part: part) for name, part in parts.items()}
    monkeypatch.setattr(registry, "_services", checks)
    for job in jobs.registered():
        JobRun.objects.create(name=job.name, slot="now", holder="a worker")

    report = health.report()

    assert report["status"] == worst
    assert json.dumps(report)


@pytest.mark.django_db
def test_a_process_whose_database_hangs_gets_no_traffic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Event()

    def hang() -> Health:
        gate.wait(30)
        return Health("healthy", "It can be read.")

    monkeypatch.setitem(registry._probes, "database", Probe("database", hang, 0.2))
    try:
        found = health.ready()
    finally:
        gate.set()

    assert found["status"] == "not_ready"
    [why] = found["reasons"]
    assert why.startswith("database: The check has not answered for ")


@pytest.mark.django_db
def test_a_table_that_is_missing_is_told_and_does_not_fail_the_answer() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE chat_livesession")

    report = health.report()

    assert report["status"] == "unhealthy"
    assert report["services"]["database"] == "disconnected"
    assert set(report["session_metrics"].values()) == {None}
