"""The same conversations in control and with each persistent strategy, turn by turn."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.figures import percentile
from benchmarks.rounds import Samples
from tests import clients, servers
from tests.chat.persistent import EVERYBODY
from tests.faults import store

CONTROL = "control"
STRATEGIES = ("history", "interactions")
ARMS = (CONTROL, *STRATEGIES)
# What a cached token costs, as a share of one that is not: the price list of every
# model from 2.5 Flash to 3.8 Flash.
CACHED_PRICE_RATIO = 0.1
_WARM_UP_TURNS = 3
_CONTROL_SETTINGS = {"USE_PERSISTENT_SESSIONS": "false"}
_USAGE = """
SELECT finish_reason, strategy, session_outcome, error_reason,
  prompt_tokens, cached_tokens, output_tokens
FROM chat_generation WHERE conversation_id = ? ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Talk:
    """What is said: `question` makes the text of a conversation's turn for an arm."""

    question: Callable[[str, int, int], str]
    conversations: int
    turns: int


@dataclass(frozen=True, slots=True)
class Arm:
    """A site whose conversations are all of one variant, and a connection to it."""

    name: str
    site: servers.Site
    api: clients.Api


@dataclass(slots=True)
class _Told:
    """What one conversation took; times in ms."""

    first_ms: list[float] = field(default_factory=list)
    sent_bytes: int = 0
    calls: int = 0


@contextlib.contextmanager
def running(
    data_dir: Path, *, gemini_url: str, **settings: str
) -> Iterator[dict[str, Arm]]:
    """Run one site for each arm; they start together."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor() as pool:

        def start(name: str) -> servers.Site:
            site = servers.site(
                data_dir / name,
                gemini_url=gemini_url,
                workers=1,
                **_settings(name),
                **settings,
            )
            return stack.enter_context(site)

        sites = list(pool.map(start, ARMS))
        arms = {
            name: Arm(name, site, stack.enter_context(clients.Api(site.url)))
            for name, site in zip(ARMS, sites, strict=True)
        }
        for arm in arms.values():
            _warm_up(arm)
        yield arms


def measure(arms: Sequence[Arm], talk: Talk, *, gemini_url: str) -> Samples:
    """Hold all conversations, the arms in turn within each turn.

    Each measure has one value for each conversation.
    """
    samples = Samples()
    with httpx2.Client(base_url=gemini_url, timeout=30) as http:
        journal = _Journal(http)
        for number in range(talk.conversations):
            _converse(samples, arms, talk, number, journal)
    return samples


class _Journal:
    """What reached the model since it was looked at."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http
        self._last_id = 0

    def news(self) -> tuple[int, int]:
        """Return the number of calls that asked for an answer, and all bytes sent."""
        query = {"since": str(self._last_id)}
        entries = self._http.get("/_local/requests", params=query).json()
        self._last_id = max((each["id"] for each in entries), default=self._last_id)
        calls = [each for each in entries if each["method"] == "POST"]
        sizes = (int(each["headers"].get("content-length", 0)) for each in entries)
        return len(calls), sum(sizes)


def _settings(arm: str) -> dict[str, str]:
    if arm == CONTROL:
        return _CONTROL_SETTINGS
    return {**EVERYBODY, "PERSISTENT_SESSION_STRATEGY": arm}


def _warm_up(arm: Arm) -> None:
    """Let it load what it loads late: that is not the strategy's cost."""
    session = arm.api.begin()
    for _ in range(_WARM_UP_TURNS):
        arm.api.say(session, "Hello.")


def _converse(
    samples: Samples, arms: Sequence[Arm], talk: Talk, number: int, journal: _Journal
) -> None:
    sessions = {arm.name: arm.api.begin() for arm in arms}
    told = {arm.name: _Told() for arm in arms}
    journal.news()
    for turn in range(talk.turns):
        first = turn % len(arms)
        for arm in [*arms[first:], *arms[:first]]:
            text = talk.question(arm.name, number, turn)
            seen = told[arm.name]
            seen.first_ms.append(_first_token_ms(arm.api, sessions[arm.name], text))
            calls, sent_bytes = journal.news()
            seen.calls += calls
            seen.sent_bytes += sent_bytes
    for arm in arms:
        rows = store.rows(arm.site, _USAGE, sessions[arm.name])
        _require_good(arm.name, rows, turns=talk.turns)
        _add(samples, arm.name, rows, told[arm.name])


def _first_token_ms(api: clients.Api, session: int, text: str) -> float:
    """Take a turn to its end; return the time to its first text."""
    started_at = time.perf_counter()
    first_ms = math.nan
    with api.stream(session, text) as events:
        for event in events:
            if event.name == "delta" and math.isnan(first_ms):
                first_ms = (time.perf_counter() - started_at) * 1000
    return first_ms


def _require_good(arm: str, rows: list[dict[str, Any]], *, turns: int) -> None:
    """Let no figure come from turns that went another way. Raises: RuntimeError."""
    strategy = "stateless" if arm == CONTROL else arm
    known = {""} if arm == CONTROL else {"hit", "topped_up"}
    for number, row in enumerate(rows):
        is_ended = row["finish_reason"] in ("STOP", "MAX_TOKENS")
        outcomes = known if number or arm == CONTROL else {"created"}
        is_planned = row["strategy"] == strategy and row["session_outcome"] in outcomes
        if not (is_ended and is_planned):
            raise RuntimeError(f"Turn {number + 1} of {arm} went another way: {row}")
    if len(rows) != turns:
        raise RuntimeError(f"{arm} has {len(rows)} turns instead of {turns}.")


def _add(samples: Samples, arm: str, rows: list[dict[str, Any]], told: _Told) -> None:
    prompt_tokens = sum(row["prompt_tokens"] for row in rows)
    cached_tokens = sum(row["cached_tokens"] for row in rows)
    saved_tokens = (1 - CACHED_PRICE_RATIO) * cached_tokens
    for measure, value in {
        "prompt_tokens": prompt_tokens,
        "cached_tokens": cached_tokens,
        "billed_tokens": prompt_tokens - saved_tokens,
        "saved_percent": 100 * saved_tokens / prompt_tokens,
        "output_tokens": sum(row["output_tokens"] for row in rows),
        "longest_tokens": max(row["prompt_tokens"] for row in rows),
        "sent_bytes": told.sent_bytes,
        "calls": told.calls,
        "cut": sum(row["finish_reason"] == "MAX_TOKENS" for row in rows),
        "first_p50_ms": percentile(told.first_ms, 50),
        "first_p95_ms": percentile(told.first_ms, 95),
    }.items():
        samples.add(measure, arm, value)
