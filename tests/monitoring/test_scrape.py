"""`/metrics` of a site with two web processes, one of which is killed, by its rows."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import httpx2
import pytest

from tests import clients, servers
from tests.chat import persistent
from tests.faults import store
from tests.monitoring import scraped
from tests.monitoring.scraped import Samples

_TURNS = 12
_MODEL = "gemini-3.8-flash"
_CHAT = {"route": "/api/v1/sessions/<session_id>/chat", "method": "POST"}
_KINDS = {"prompt": "prompt_tokens", "cached": "cached_tokens"} | {
    "output": "output_tokens",
    "thoughts": "thoughts_tokens",
}


@dataclass(frozen=True, slots=True)
class _Story:
    """A used site, and its answers from before to after."""

    site: servers.Site
    texts: list[str]

    @property
    def last(self) -> Samples:
        return scraped.samples(self.texts[-1])


@pytest.fixture(scope="module")
def story(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_Story]:
    """Turns over both processes; one is killed in mid-answer; the site starts anew."""
    folder = tmp_path_factory.mktemp("scraped")
    with persistent.site(folder, gemini_url=local_gemini, workers=2) as running:
        one, two = running.worker_pids()
        texts = [scraped.read(running.url)]
        with clients.on_worker(running.url, two) as there:
            with clients.on_worker(running.url, one) as here:
                _talk(here, there)
                texts.append(_flushed(running))
                _be_killed(running, here)
            texts.append(scraped.read(running.url))
            there.say(there.begin(), "Still here?")
        texts.append(scraped.read(running.url))
        os.kill(running.master.pid, signal.SIGTERM)
        running.master.wait(30)
    with servers.site(folder, gemini_url=local_gemini) as again:
        texts.append(scraped.read(again.url))
        yield _Story(again, texts)


def _talk(here: clients.Api, there: clients.Api) -> None:
    shared, other = here.begin(), there.begin()
    for turn in range(_TURNS):
        (here if turn % 3 else there).say(shared, f"Question {turn}")
    assert there.ask(other, "[[blocked]] Not that").status_code == 422
    assert here.call("GET", "987654").status_code == 404


def _be_killed(site: servers.Site, here: clients.Api) -> None:
    """Kill this process while it answers, and let another end what it has begun."""
    session = here.begin()
    with here.stream(session, "[[say words=200 delay_ms=50]] Long") as events:
        next(events), next(events)
        assert here.pid is not None
        os.kill(here.pid, signal.SIGKILL)
        with pytest.raises(httpx2.TransportError):
            list(events)
    site.manage("run_job", "chat.reap_generations")


def _flushed(site: servers.Site) -> str:
    """Return an answer that has all requests, which are written once a second."""

    def look() -> str | None:
        text = scraped.read(site.url)
        return text if _good_turns(scraped.samples(text)) == _TURNS else None

    return clients.until(look)


def _good_turns(found: Samples) -> float:
    return scraped.of(found, "oracle_http_requests_total", **_CHAT, status="2xx")


def test_turns_are_counted_exactly_although_a_process_was_killed(story: _Story) -> None:
    rows = store.rows(story.site, "SELECT * FROM chat_generation")

    expected = Counter(
        (
            row["status"],
            row["strategy"],
            row["variant"] or "none",
            row["session_outcome"] or "none",
        )
        for row in rows
    )
    assert len(rows) == _TURNS + 3
    assert {row["status"] for row in rows} == {"complete", "blocked", "interrupted"}
    names = ("status", "strategy", "variant", "session")
    for values, count in expected.items():
        labels = dict(zip(names, values, strict=True))
        assert scraped.of(story.last, "oracle_turns_total", **labels) == count
    assert scraped.of(story.last, "oracle_turns_total") == len(rows)
    codes = Counter(row["error_code"] for row in rows if row["error_code"])
    assert scraped.of(story.last, "oracle_turn_errors_total") == codes.total()
    for code, count in codes.items():
        found = scraped.of(story.last, "oracle_turn_errors_total", code=code)
        assert found == count


def test_tokens_are_the_sums_of_the_rows(story: _Story) -> None:
    rows = store.rows(story.site, "SELECT * FROM chat_generation")

    for kind, field in _KINDS.items():
        expected = sum(row[field] or 0 for row in rows)
        labels = {"type": kind, "variant": "on", "model": _MODEL}
        assert scraped.of(story.last, "oracle_tokens_total", **labels) == expected
    sums = {
        "input": sum(row["prompt_tokens"] or 0 for row in rows),
        "output": sum(
            (row["output_tokens"] or 0) + (row["thoughts_tokens"] or 0) for row in rows
        ),
    }
    for kind, expected in sums.items():
        name = "gen_ai_client_token_usage_sum"
        found = scraped.of(story.last, name, gen_ai_token_type=kind)
        assert found == expected > 0


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("gen_ai_client_operation_duration_seconds", "duration_ms"),
        (
            "gen_ai_client_operation_time_to_first_chunk_seconds",
            "time_to_first_token_ms",
        ),
    ],
)
def test_times_are_in_the_right_buckets(story: _Story, name: str, field: str) -> None:
    rows = store.rows(story.site, "SELECT * FROM chat_generation")

    times = [row[field] / 1000 for row in rows if row[field] is not None]
    bounds = {
        labels_of["le"]
        for (each, pairs) in story.last
        if each == f"{name}_bucket" and (labels_of := dict(pairs))
    }
    assert {"0.01", "81.92", "+Inf"} <= bounds
    assert len(bounds) == 15
    for bound in bounds:
        expected = sum(time <= float(bound) for time in times)
        assert scraped.of(story.last, f"{name}_bucket", le=bound) == expected
    assert scraped.of(story.last, f"{name}_count") == len(times) > 0
    total = scraped.of(story.last, f"{name}_sum")
    assert total == pytest.approx(sum(times), abs=1e-6 * len(times))


def test_every_process_tells_the_totals_that_the_other_has_counted(
    story: _Story,
) -> None:
    operations = persistent.totals(story.site)

    name = "oracle_session_operations_total"
    for total, value in operations.items():
        operation = total.removeprefix("sessions_")
        assert scraped.of(story.last, name, operation=operation) == value
    assert operations["sessions_created"] > 0
    assert operations["sessions_hit"] > 0


def test_what_is_cumulative_never_goes_down(story: _Story) -> None:
    for before, after in pairwise(map(scraped.cumulative, story.texts)):
        assert {name for name in before if after.get(name, -1) < before[name]} == set()


def test_requests_are_counted_by_route_method_and_status(story: _Story) -> None:
    name = "oracle_http_requests_total"

    assert scraped.of(story.last, name, **_CHAT, status="4xx") == 1
    # One was said after the kill, and written when its process ended; the one that was
    # cut short may be missing.
    assert _good_turns(story.last) in {_TURNS + 1, _TURNS + 2}
    unknown = {"route": "/api/v1/sessions/<session_id>", "method": "GET"}
    assert scraped.of(story.last, name, **unknown, status="4xx") >= 1
    durations = "oracle_http_request_duration_seconds_count"
    assert scraped.of(story.last, durations) == scraped.of(story.last, name)


def test_labels_are_few_and_name_nobody(story: _Story) -> None:
    found = scraped.samples(story.texts[-1])

    names = {name for _, pairs in found for name, _ in pairs}
    assert names & {"user", "owner", "session_id", "conversation", "address"} == set()
    routes = {dict(pairs)["route"] for _, pairs in found if "route" in dict(pairs)}
    assert not any("987654" in route for route in routes)
    assert len(found) < 2000


def test_the_present_is_told_too(story: _Story) -> None:
    version = {"version": next(iter(_labels(story.last, "oracle_build_info")))}

    assert scraped.of(story.last, "oracle_build_info", **version) == 1
    percent = scraped.of(
        story.last, "oracle_rollout_percentage", flag="persistent_sessions"
    )
    assert percent == 100
    exposure = scraped.of(story.last, "oracle_rollout_exposure_ratio")
    assert 0 < exposure <= 1
    assert _labels(story.last, "oracle_queue_tasks") == {"waiting", "running", "buried"}
    assert scraped.of(story.last, "oracle_answers_running") == 0
    assert scraped.of(story.last, "oracle_sessions_maximum") == 500
    assert "chat.reap_generations" in _labels(
        story.last, "oracle_job_last_success_timestamp_seconds"
    )
    stored = scraped.of(story.last, "oracle_stored", kind="messages")
    assert stored == len(store.rows(story.site, "SELECT id FROM chat_message"))


def _labels(found: Samples, name: str) -> set[str]:
    return {value for each, pairs in found if each == name for _, value in pairs}
