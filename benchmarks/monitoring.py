"""Is monitoring as quick over a large store? `python -m benchmarks.monitoring`.

Two sites with the same traffic, 2,000 turns in the last day and 500 live sessions, but
one has 10,000 messages and the other 1,000,000, made in bulk.
"""

import argparse
import contextlib
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from benchmarks import history
from benchmarks.contenders import Contender, product
from benchmarks.figures import Figure, percentile, ratio, table
from benchmarks.rounds import Samples
from tests import people, servers

_FEW, _MANY = 10_000, 1_000_000
_PER_CONVERSATION = 20
_TURNS_A_DAY = 2_000
_LIVE_SESSIONS = 500
_REQUESTS = 30
_DAY_S = 86_400
_OLD_TURN_EVERY_S = 60
_RATIO_GOAL = 1.5
_HEALTH_GOAL_MS = 5.0
_BASE = "/api/v1/monitoring"
_PATHS = (
    "/health",
    f"{_BASE}/health/detailed",
    f"{_BASE}/health/sessions",
    f"{_BASE}/health/sessions/performance",
    f"{_BASE}/sessions/analytics",
    "/readyz",
    "/metrics",
)
# For staff; one has a day of turns behind it, the other all that is kept of a month.
_PAGES = tuple(
    f"/admin/{page}"
    for page in (
        "monitoring/checkresult/dashboard/?range=1h",
        "monitoring/checkresult/dashboard/?range=30d",
        "chat/generation/turns/",
        "",
    )
)
_OUTCOMES = ("created", "hit", "hit", "hit", "hit", "topped_up", "recovered", "hit")

_OWNER = """
INSERT INTO chat_owner (kind, conversation_count, created_at) VALUES ('visitor', 0, ?)
"""
_CONVERSATION = """
INSERT INTO chat_conversation (id, owner_id, title, title_is_by_user, model,
  personality, variant, metadata, message_count, created_at, updated_at)
VALUES (?, ?, 'Bulk', 0, 'gemini-3.8-flash', 'default', ?, '{}', ?, ?, ?)
"""
_MESSAGE = """
INSERT INTO chat_message (id, conversation_id, parent_id, role, content, status,
  is_superseded, signatures, created_at)
VALUES (?, ?, ?, ?, ?, 'complete', 0, '[]', ?)
"""
_GENERATION = """
INSERT INTO chat_generation (conversation_id, message_id, status, process, heartbeat_at,
  strategy, variant, variant_reason, session_outcome, session_note, session_ms, model,
  model_version, finish_reason, error_code, error_reason, error_detail, prompt_tokens,
  cached_tokens, output_tokens, duration_ms, created_at, ended_at)
VALUES (?, ?, 'complete', 'bulk:1:1', ?, ?, ?, 'SPLIT', ?, '', 1.5, 'gemini-3.8-flash',
  '', 'STOP', '', '', '', 900, 300, 100, ?, ?, ?)
"""
_LIVE = """
INSERT INTO chat_livesession (conversation_id, process, strategy, version,
  message_count, size_bytes, created_at, used_at)
VALUES (?, 'bulk:1:1', 'history', 2, 2, 4000, ?, ?)
"""
_JOBS = (
    *("chat.clean_up_sessions", "chat.delete_interactions", "chat.purge_expired"),
    *("chat.reap_generations", "monitoring.purge_records", "monitoring.deliver"),
    *("flags.tick_rollouts",),
    *("monitoring.check_health", "monitoring.check_performance", "monitoring.ping"),
    *("monitoring.clean_up_daily", "monitoring.evaluate_alerts"),
    *("monitoring.record_points", "monitoring.report_day", "monitoring.report_hour"),
)
_RUN = """
INSERT INTO monitoring_jobrun (name, slot, holder, started_at, outcome, detail)
VALUES (?, 'bulk', 'bulk:1:1', ?, 'done', '')
"""
_TOTAL = "INSERT OR REPLACE INTO monitoring_total (name, value) VALUES (?, ?)"


def main() -> None:
    """Fill both sites, measure them in turn, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    figures = run(given.rounds)
    if given.json:
        print(json.dumps([figure.as_json() for figure in figures], indent=2))
    else:
        print(table(figures))


def run(rounds: int) -> list[Figure]:
    """Measure both sites in turn, so that whatever else runs slows down both."""
    samples = Samples()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        url = stack.enter_context(servers.local_gemini())
        sites: dict[str, Contender] = {}
        for name, messages in (("few", _FEW), ("many", _MANY)):
            server = product(Path(folder) / name, gemini_url=url)
            sites[name] = stack.enter_context(server)
            fill(sites[name], messages)
            _check(sites[name], messages)
            with _database(sites[name]) as database:
                history.fill(database, datetime.now(UTC))
        staff = {name: _staff(site) for name, site in sites.items()}
        for client in staff.values():
            stack.callback(client.close)
        for _ in range(rounds):
            for name, site in sites.items():
                with httpx2.Client(base_url=site.url, timeout=60) as anybody:
                    _measure(samples, name, anybody, _PATHS)
                _measure(samples, name, staff[name], _PAGES)
    paths = (*_PATHS, *_PAGES)
    return [figure for path in paths for figure in _figures(samples, path)]


def _figures(samples: Samples, path: str) -> Iterator[Figure]:
    few, many = samples.of(path, "few"), samples.of(path, "many")
    goal = _HEALTH_GOAL_MS if path == "/health" else None
    yield Figure(f"{path} at {_FEW:,}", "ms", few)
    yield Figure(f"{path} at {_MANY:,}", "ms", many, goal)
    yield Figure(f"{path}: {_MANY:,} ÷ {_FEW:,}", "×", ratio(many, few), _RATIO_GOAL)


def _measure(
    samples: Samples, name: str, client: httpx2.Client, paths: Iterable[str]
) -> None:
    for path in paths:
        times = [_took_ms(client, path) for _ in range(_REQUESTS)]
        samples.add(path, name, percentile(times, 50))


def _staff(site: Contender) -> httpx2.Client:
    """Return somebody who may see everything, signed in."""
    env = os.environ | {
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(site.data_dir),
        "DJANGO_SUPERUSER_PASSWORD": people.PASSWORD,
    }
    named = ("--username", "staff", "--email", "staff@example.org")
    servers.manage(env, "createsuperuser", "--noinput", *named)
    client = people.signed_in(site.url, "staff")
    client.timeout = 60
    return client


def _took_ms(client: httpx2.Client, path: str) -> float:
    began_at = time.perf_counter()
    client.get(path).raise_for_status()
    return (time.perf_counter() - began_at) * 1000


def fill(site: Contender, messages: int) -> None:
    """Put conversations of two messages a turn into the database, oldest first."""
    now = datetime.now(UTC).replace(tzinfo=None)
    turns = range(messages // 2)
    with _database(site) as database:
        owner = database.execute(_OWNER, [_text(now)]).lastrowid
        rows = (_conversation(each, owner, messages, now) for each in _firsts(messages))
        database.executemany(_CONVERSATION, rows)
        database.executemany(
            _MESSAGE, (row for turn in turns for row in _messages(turn, messages, now))
        )
        database.executemany(
            _GENERATION, (_generation(turn, messages, now) for turn in turns)
        )
        newest = range(messages // _PER_CONVERSATION, 0, -1)[:_LIVE_SESSIONS]
        database.executemany(_LIVE, ([each, _text(now), _text(now)] for each in newest))
        conversations = messages // _PER_CONVERSATION
        totals = {"messages": messages, "sessions": conversations}
        database.executemany(_TOTAL, totals.items())
        # As if a worker ran all the time: one that is late would be told sooner.
        on_time = _text(now + timedelta(days=1))
        database.executemany(_RUN, ([name, on_time] for name in _JOBS))
        database.execute("ANALYZE")


def _check(site: Contender, messages: int) -> None:
    """See that the site counts what was put in, or the figures would mean nothing."""
    services = httpx2.get(f"{site.url}/health").json()["services"]
    assert services["background_jobs"] == "on_time"
    said = httpx2.get(f"{site.url}{_BASE}/sessions/analytics").json()["session_metrics"]
    assert said["total_messages"] == messages
    assert abs(said["message_operations_count"] - _TURNS_A_DAY) <= 20, said


def _firsts(messages: int) -> range:
    """Return the first turn of each conversation."""
    return range(0, messages // 2, _PER_CONVERSATION // 2)


def _conversation(first: int, owner: int | None, messages: int, now: datetime) -> Any:
    last = first + _PER_CONVERSATION // 2 - 1
    return [
        *(_place(first), owner, _variant(first), _PER_CONVERSATION),
        *(_at(first, messages, now), _at(last, messages, now)),
    ]


def _messages(turn: int, messages: int, now: datetime) -> Iterator[Any]:
    question, at = 2 * turn + 1, _at(turn, messages, now)
    text = f"Twenty words or so, which is what the others say in this place, {turn}"
    yield [question, _place(turn), None, "user", text, at]
    yield [question + 1, _place(turn), question, "assistant", text, at]


def _generation(turn: int, messages: int, now: datetime) -> Any:
    at, is_on = _at(turn, messages, now), _variant(turn) == "on"
    return [
        *(_place(turn), 2 * turn + 2, at, "history" if is_on else "stateless"),
        *(_variant(turn), _OUTCOMES[turn % len(_OUTCOMES)] if is_on else ""),
        *(100 + turn % 997, at, at),
    ]


def _place(turn: int) -> int:
    """Return the conversation of a turn."""
    return turn // (_PER_CONVERSATION // 2) + 1


def _variant(turn: int) -> str:
    return "on" if _place(turn) % 2 else "off"


def _at(turn: int, messages: int, now: datetime) -> str:
    """Return when a turn was: the newest in the last day, one a minute before."""
    back = messages // 2 - turn
    recent_s = min(back, _TURNS_A_DAY) * _DAY_S / _TURNS_A_DAY
    old_s = max(0, back - _TURNS_A_DAY) * _OLD_TURN_EVERY_S
    return _text(now - timedelta(seconds=recent_s + old_s))


def _text(moment: datetime) -> str:
    return moment.isoformat(" ")


@contextlib.contextmanager
def _database(site: Contender) -> Iterator[sqlite3.Connection]:
    path = site.data_dir / "oracle.sqlite3"
    with (
        contextlib.closing(sqlite3.connect(path, timeout=60)) as database,
        database,
    ):
        yield database


if __name__ == "__main__":
    main()
