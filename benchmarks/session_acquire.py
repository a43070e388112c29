"""One process with live sessions on a fresh database; `session_memory` starts several.

For each line of its input it prints how long the steps of a turn with a session took.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import django
from django.db import transaction

django.setup()

from benchmarks.figures import percentile  # noqa: E402 - needs the apps
from benchmarks.session_weights import weigh  # noqa: E402
from chat import ownership, plans, registrations, sessions  # noqa: E402
from chat.models import Conversation, LiveSession  # noqa: E402
from chat.sessions import Session  # noqa: E402
from chat.strategies import Context  # noqa: E402
from monitoring import processes  # noqa: E402

_MODEL = "gemini-3.8-flash"
_TURNS = 10
_QUESTION_ID = 1_000_000
_TRIES = 200


def main() -> None:
    """Make the sessions; measure once for each line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, required=True)
    conversations = prepare(parser.parse_args().sessions)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure(conversations)), flush=True)


def prepare(count: int) -> dict[int, Conversation]:
    """Keep and register a session of ten turns for each conversation but the last."""
    owner = ownership.local_owner()
    made = Conversation.objects.bulk_create(
        Conversation(
            pk=number, owner=owner, title="Live", model=_MODEL, message_count=2 * _TURNS
        )
        for number in range(1, count + 2)
    )
    weigh(count, turns=_TURNS, characters=400, end="")
    LiveSession.objects.bulk_create(
        LiveSession(
            conversation_id=session.conversation_id,
            process=processes.me(),
            strategy=session.strategy,
            version=session.version,
            message_count=session.message_count,
            size_bytes=session.size_bytes,
        )
        for session in sessions.pool().all().values()
    )
    return {conversation.pk: conversation for conversation in made}


def measure(conversations: dict[int, Conversation]) -> dict[str, float]:
    """Return the median of each step in µs."""
    chosen = random.choices(list(sessions.pool().all().values()), k=_TRIES)
    newcomer = max(conversations)

    def acquire(session: Session) -> None:
        conversation = conversations[session.conversation_id]
        context = Context(model=_MODEL, personality="default", message="Go on.")
        plan = plans.persistent(conversation, _QUESTION_ID, context)
        assert plan.outcome == plans.SessionOutcome.HIT

    def register(session: Session) -> None:
        assert registrations.hold(replace(session, conversation_id=newcomer))

    def undo() -> None:
        LiveSession.objects.filter(conversation_id=newcomer).delete()

    with transaction.atomic():
        return {
            "find": _median_us(
                lambda each: sessions.pool().find(each.conversation_id), chosen
            ),
            "acquire": _median_us(acquire, chosen),
            "renew": _median_us(registrations.hold, chosen),
            "register": _median_us(register, chosen, undo=undo),
        }


def _median_us(
    step: Callable[[Session], object],
    chosen: list[Session],
    *,
    undo: Callable[[], object] = lambda: None,
) -> float:
    times = []
    for session in chosen:
        started_at = time.perf_counter()
        step(session)
        times.append((time.perf_counter() - started_at) * 1e6)
        undo()
    return percentile(times, 50)


if __name__ == "__main__":
    main()
