"""One process that keeps live sessions and nothing else; `session_memory` starts it.

`python -m benchmarks.session_weights --help`; it prints bytes.
"""

import argparse
import json
import random
import string
import tracemalloc
from dataclasses import asdict, dataclass

import psutil

from chat import sessions
from chat.completion import Completion
from chat.strategies import HISTORY, Answered, Context

_MODEL = "gemini-3.8-flash"
_COMPLETION = Completion(
    finish_reason="STOP", usage=None, model_version=None, signatures=[]
)


@dataclass(frozen=True, slots=True)
class Weights:
    """What the sessions weigh; without `--trace` no allocated bytes are counted."""

    allocated_bytes: int
    rss_growth_bytes: int


def weigh(count: int, *, turns: int, characters: int, end: str) -> Weights:
    """Fill the pool as that many conversations fill it, turn by turn."""
    process = psutil.Process()
    rss_bytes, traced_bytes = process.memory_info().rss, _traced_bytes()
    for conversation_id in range(1, count + 1):
        for turn in range(turns):
            _take_turn(conversation_id, turn, characters=characters, end=end)
    return Weights(
        allocated_bytes=_traced_bytes() - traced_bytes,
        rss_growth_bytes=process.memory_info().rss - rss_bytes,
    )


def _traced_bytes() -> int:
    return tracemalloc.get_traced_memory()[0]


def _take_turn(conversation_id: int, turn: int, *, characters: int, end: str) -> None:
    context = Context(
        model=_MODEL,
        personality="default",
        message=_text(characters, end),
        session=sessions.pool().find(conversation_id),
    )
    answered = Answered(
        conversation_id, 2 * turn + 1, _text(characters, end), _COMPLETION
    )
    session = HISTORY.after(context, answered)
    assert session is not None
    sessions.pool().keep(session)


def _text(characters: int, end: str) -> str:
    """Return a text that no other message shares."""
    return "".join(random.choices(string.ascii_letters, k=characters - len(end))) + end


def main() -> None:
    """Read what to keep and print what it weighs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--turns", type=int, default=10, help="two messages each")
    parser.add_argument("--characters", type=int, default=400, help="of a message")
    parser.add_argument("--end", default="", help="what each message ends with")
    parser.add_argument("--trace", action="store_true", help="count allocated bytes")
    given = parser.parse_args()
    if given.trace:
        tracemalloc.start()
    weights = weigh(
        given.sessions, turns=given.turns, characters=given.characters, end=given.end
    )
    print(json.dumps(asdict(weights)))


if __name__ == "__main__":
    main()
