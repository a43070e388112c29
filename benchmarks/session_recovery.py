"""A lost session of 50 messages: one call, or every message once more?"""

import json
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass

import httpx2

from benchmarks.figures import Figure, Section, ratio
from benchmarks.rounds import Samples
from benchmarks.session_arms import Arm
from tests import clients
from tests.chat.persistent import outcome
from tests.servers import ROOT

_MESSAGES = 50
# By the time to the model's first token, in ms: a realistic one, and none at all.
_ROUNDS = {300: 3, 0: 5}
_GOAL = 20
_OURS = "ours"
_RESENT = "message by message"


@dataclass(frozen=True, slots=True)
class _Conversation:
    """A conversation of 50 messages; the marker stands in all that is sent of it."""

    session: int
    marker: str
    questions: list[str]


def measure(arm: Arm, *, gemini_url: str) -> Section:
    """Lose sessions and bring each back both ways, with and without a real latency."""
    figures: list[Figure] = []
    for first_ms, rounds in _ROUNDS.items():
        conversations = [_held(arm) for _ in range(rounds)]
        _set_defaults(gemini_url, first_ms=first_ms)
        samples = Samples()
        for conversation in conversations:
            _recover(samples, arm, conversation, gemini_url)
            _resend(samples, conversation, gemini_url)
        _set_defaults(gemini_url, first_ms=0)
        figures += _figures(samples, first_ms)
    return Section(
        f"A lost session of {_MESSAGES} messages, until its next question is answered",
        figures,
        [
            f"{_RESENT}: the SDK's chat is told every question again, and answers it, "
            "before the new one; its start and its first connection are not counted.",
            "Calls are those that the model's server has noted; the last one is the "
            "question itself.",
        ],
    )


def _held(arm: Arm) -> _Conversation:
    marker = uuid.uuid4().hex
    session = arm.api.begin()
    questions = [f"{marker} question {number}" for number in range(_MESSAGES // 2)]
    for question in questions:
        arm.api.say(session, question)
    return _Conversation(session, marker, questions)


def _recover(
    samples: Samples, arm: Arm, conversation: _Conversation, gemini_url: str
) -> None:
    arm.site.manage("sessions", "evict", "--conversation", str(conversation.session))
    _forget_requests(gemini_url)
    started_at = time.perf_counter()
    turn = arm.api.say(conversation.session, "What comes next?")
    samples.add("answered_ms", _OURS, (time.perf_counter() - started_at) * 1000)
    samples.add("calls", _OURS, _calls(gemini_url, conversation.marker))
    strategy, what, note = outcome(arm.site, turn)
    if (strategy, what) != (arm.name, "recovered"):
        raise RuntimeError(f"That was no recovery: {strategy}, {what}, {note}")


def _resend(samples: Samples, conversation: _Conversation, gemini_url: str) -> None:
    _forget_requests(gemini_url)
    asked = {"messages": conversation.questions, "question": "What comes next?"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.session_resend", gemini_url],
        cwd=ROOT,
        check=True,
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
    )
    samples.add("answered_ms", _RESENT, json.loads(done.stdout)["answered_ms"])
    samples.add("calls", _RESENT, _calls(gemini_url, conversation.marker))


def _figures(samples: Samples, first_ms: int) -> list[Figure]:
    name = f"first token after {first_ms} ms"
    ours, resent = (samples.of("answered_ms", each) for each in (_OURS, _RESENT))
    return [
        Figure(f"{name}: {_OURS}", "ms", ours),
        Figure(f"{name}: {_RESENT}", "ms", resent),
        Figure(
            f"{name}: {_RESENT} ÷ {_OURS}",
            "×",
            ratio(resent, ours),
            goal=_GOAL,
            better="higher",
        ),
        Figure(f"{name}: calls, {_OURS}", "", samples.of("calls", _OURS), goal=1),
        Figure(f"{name}: calls, {_RESENT}", "", samples.of("calls", _RESENT)),
    ]


def _calls(gemini_url: str, marker: str) -> int:
    return len(clients.requests(gemini_url, marker))


def _forget_requests(gemini_url: str) -> None:
    httpx2.delete(f"{gemini_url}/_local/requests").raise_for_status()


def _set_defaults(gemini_url: str, **changes: int) -> None:
    httpx2.put(f"{gemini_url}/_local/defaults", json=changes).raise_for_status()
