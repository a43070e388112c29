"""Conversations, answers and sessions put straight into the database."""

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from chat.completion import Completion
from chat.models import Conversation, Generation, LiveSession, Message, Owner
from chat.sessions import Session
from flags import runtime, store
from monitoring import processes
from monitoring.models import Total
from tests.servers import ROOT

MODEL = "gemini-3.8-flash"
SIGNED = {"text": "", "thoughtSignature": "c2ln"}
ELSEWHERE = "elsewhere:boot:{}:1"


def put(**values: Any) -> None:
    """Store runtime settings, or the flag, as they hold from now on."""
    for name, value in values.items():
        store.put(name, value)
    runtime.forget()


def roll_out(percent: Decimal | int) -> None:
    """Give so many of 100 conversations persistent sessions."""
    put(USE_PERSISTENT_SESSIONS=True, GRADUAL_ROLLOUT_PERCENTAGE=percent)


def conversation(**fields: Any) -> Conversation:
    """Return a new conversation of somebody new."""
    owner = Owner.objects.create(kind=Owner.Kind.VISITOR)
    given = {"owner": owner, "title": "Test", "model": MODEL} | fields
    return Conversation.objects.create(**given)


def turn(
    of: Conversation,
    question: str = "Why?",
    answer: str = "Because.",
    **more: Any,
) -> Message:
    """Add a question and its answer, made by one attempt; return the answer."""
    asked = Message.objects.create(
        conversation=of, role="user", content=question, status="complete"
    )
    of.message_count += 2
    of.save(update_fields=["message_count"])
    return reply(asked, answer, **more)


def reply(question: Message, text: str, *, model: str = MODEL, **more: Any) -> Message:
    """Add an attempt at an answer and the answer itself; return that."""
    answer = Message.objects.create(
        **{"status": "complete"} | more,
        conversation=question.conversation,
        parent=question,
        role="assistant",
        content=text,
    )
    is_running = answer.status in {"pending", "streaming"}
    attempt(answer, status="running" if is_running else answer.status, model=model)
    return answer


def attempt(answer: Message, **fields: Any) -> Generation:
    """Add an attempt at an answer that has ended just now, unless it is to run."""
    given = {
        "conversation": answer.conversation,
        "message": answer,
        "process": processes.me(),
        "strategy": "stateless",
        "model": MODEL,
        "status": "complete",
    } | fields
    has_ended = given["status"] != Generation.Status.RUNNING
    return Generation.objects.create(
        **{"ended_at": timezone.now() if has_ended else None} | given
    )


def session(of: Conversation, **changes: Any) -> Session:
    """Return a live session that is not registered."""
    given: dict[str, Any] = {
        "conversation_id": of.pk,
        "strategy": "history",
        "model": MODEL,
        "version": 2,
        "message_count": 2,
        "size_bytes": 100,
    }
    return Session(**given | changes)


def registered(
    of: Conversation | None = None,
    *,
    idle_s: float = 0,
    is_busy: bool = False,
    **fields: Any,
) -> LiveSession:
    """Add the row of a live session; busy: its conversation's turn is running."""
    of = of or conversation(variant="on")
    if is_busy:
        turn(of, status="pending")
    used_at = timezone.now() - timedelta(seconds=idle_s)
    given = {
        "conversation": of,
        "process": processes.me(),
        "strategy": "history",
        "version": 2,
        "message_count": 2,
        "size_bytes": 100,
        "created_at": used_at,
        "used_at": used_at,
    }
    return LiveSession.objects.create(**given | fields)


def completion(**changes: Any) -> Completion:
    """Return the good end of an answer."""
    given: dict[str, Any] = {
        "finish_reason": "STOP",
        "usage": None,
        "model_version": None,
        "signatures": [],
    }
    return Completion(**given | changes)


def dead_process() -> str:
    """Return the identity of a real process that has ended."""
    code = "from monitoring import processes; print(processes.me())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def totals() -> dict[str, int]:
    """Return how often each session operation was counted."""
    rows = Total.objects.filter(name__startswith="sessions_")
    return {
        name.removeprefix("sessions_"): value
        for name, value in rows.values_list("name", "value")
    }
