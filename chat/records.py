"""What the database knows of a running answer; every function is a few queries.

All of them run on a database thread. Those that write expect an open transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chat import registrations, statements, stored_interactions, tallies
from chat.completion import Usage
from chat.errors import ChatError
from chat.models import Generation, Message
from chat.sessions import Session
from chat.tallies import Ended
from monitoring import processes

_RUNNING, _COMPLETE = Generation.Status.RUNNING, Generation.Status.COMPLETE
NOT_REPORTED = Usage(None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a running answer says so far; `content` None: nothing new to store."""

    generation_id: int
    message_id: int
    content: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended. Times in ms; None means not measured.

    `session` is the one that it leaves behind, to be kept if there is room.
    `interaction_ids` name all that the provider keeps of the turn, however it ended,
    for this `model`; `interaction_id` the one that holds the good end, if any.
    """

    status: str
    content: str
    finish_reason: str = ""
    usage: Usage = NOT_REPORTED
    model_version: str = ""
    signatures: list[dict[str, Any]] = field(default_factory=list)
    error: ChatError | None = None
    time_to_first_token_ms: float | None = None
    duration_ms: float | None = None
    strategy: str = "stateless"
    session_outcome: str = ""
    session_note: str = ""
    session_ms: float | None = None
    session: Session | None = None
    model: str = ""
    interaction_ids: Sequence[str] = ()
    interaction_id: str = ""

    def told(self) -> dict[str, Any]:
        """Return what the log says of it: of the words only how many characters."""
        return {
            "status": str(self.status),
            "length_chars": len(self.content),
            "duration_ms": self.duration_ms and round(self.duration_ms),
            "error": self.error and self.error.code,
        }


def flush(progress: Iterable[Progress]) -> tuple[set[int], set[int]]:
    """Store the text so far and renew the heartbeats, one commit for all of them.

    Returns the generations somebody wants stopped, and those that are still ours; one
    that is missing there has been ended by somebody else and must not write again.
    """
    by_id = {item.generation_id: item for item in progress}
    held = statements.renew(list(by_id), now=timezone.now())
    statements.store_texts(
        [
            (content, by_id[pk].message_id)
            for pk, _ in held
            if (content := by_id[pk].content) is not None
        ]
    )
    return {pk for pk, is_stopped in held if is_stopped}, {pk for pk, _ in held}


def signals(generation_ids: list[int]) -> tuple[set[int], set[int]]:
    """Return, as `flush` does, what is to be stopped and what is still ours."""
    held = Generation.objects.filter(
        pk__in=generation_ids, status=_RUNNING
    ).values_list("id", "cancel_requested_at")
    rows = list(held)
    return {pk for pk, asked_at in rows if asked_at}, {pk for pk, _ in rows}


def end(
    *, conversation_id: int, generation_id: int, message_id: int, outcome: Outcome
) -> bool:
    """End the attempt if it still runs; the first of all who try wins.

    Returns False when somebody else has ended it: nothing is written then, but for
    what the provider keeps, which is to be deleted there in any case.
    """
    for each in outcome.interaction_ids:
        stored_interactions.add(each, message_id=message_id, model=outcome.model)
    error, usage = outcome.error, outcome.usage
    ending = (
        *(outcome.status, outcome.strategy),
        *(outcome.session_outcome, outcome.session_note, outcome.session_ms),
        *(outcome.finish_reason, outcome.model_version),
        *((error.code, error.reason, error.detail) if error else ("", "", "")),
        error.retry_after_s if error else None,
        *(usage.prompt_tokens, usage.cached_tokens),
        *(usage.output_tokens, usage.thoughts_tokens),
        *(outcome.time_to_first_token_ms, outcome.duration_ms),
    )
    ended = statements.end_generation(generation_id, ending, now=timezone.now())
    if ended is None:
        return False
    _count(outcome, *ended)
    statements.end_message(
        message_id,
        content=outcome.content,
        status=outcome.status,
        signatures=outcome.signatures,
    )
    if outcome.interaction_id and outcome.status == _COMPLETE:
        stored_interactions.confirm(outcome.interaction_id)
    if outcome.session_outcome:
        registrations.settle(
            conversation_id,
            outcome=outcome.session_outcome,
            note=outcome.session_note,
            session=outcome.session,
        )
    if (
        outcome.session_note == Generation.SessionNote.REJECTED
        and outcome.status == _COMPLETE
    ):
        _forget_signatures(conversation_id)
    return True


def _count(outcome: Outcome, variant: str, model: str) -> None:
    tallies.count(
        Ended(
            status=outcome.status,
            strategy=outcome.strategy,
            variant=variant,
            model=model,
            session_outcome=outcome.session_outcome,
            error_code=outcome.error.code if outcome.error else "",
            usage=outcome.usage,
            time_to_first_token_ms=outcome.time_to_first_token_ms,
            duration_ms=outcome.duration_ms,
        )
    )


def reap(*, conversation_id: int | None = None) -> int:
    """End the running attempts whose process is gone; their text stays.

    A dead process of this host is known at once, any other by a heartbeat that is
    `HEARTBEAT_STALE_S` old. Safe to run anywhere, any number of times.
    Returns how many were ended.
    """
    running = Generation.objects.filter(status=_RUNNING)
    if conversation_id is not None:
        running = running.filter(conversation_id=conversation_id)
    found = running.only(
        *("message_id", "process", "heartbeat_at", "strategy", "variant", "model")
    )
    return sum(
        _end_as_interrupted(attempt)
        for attempt in list(found)
        if is_abandoned(attempt.process, attempt.heartbeat_at)
    )


def _forget_signatures(conversation_id: int) -> None:
    """Tell them never again: each turn would be rejected first, as this one was.

    Nor is gone on from what the provider keeps, which may be what it rejected.
    """
    Message.objects.filter(conversation_id=conversation_id).update(signatures=[])
    stored_interactions.distrust(conversation_id)
    registrations.close(conversation_id)


def is_abandoned(process: str, heartbeat_at: datetime) -> bool:
    """Tell whether nobody works on an attempt any more."""
    stale = timezone.now() - timedelta(seconds=settings.HEARTBEAT_STALE_S)
    return heartbeat_at < stale or processes.is_known_dead(process)


def _end_as_interrupted(attempt: Generation) -> bool:
    with transaction.atomic():
        won = Generation.objects.filter(pk=attempt.pk, status=_RUNNING).update(
            status=Generation.Status.INTERRUPTED,
            ended_at=timezone.now(),
            error_code=ChatError.code,
            error_reason="process_ended",
            error_detail="The answer was interrupted when the service restarted.",
        )
        if won:
            Message.objects.filter(pk=attempt.message_id).update(
                status=Message.Status.INTERRUPTED
            )
            tallies.count(
                Ended(
                    status=Generation.Status.INTERRUPTED.value,
                    strategy=attempt.strategy,
                    variant=attempt.variant,
                    model=attempt.model,
                    error_code=ChatError.code,
                )
            )
    return bool(won)


def request_stop(conversation_id: int) -> list[int]:
    """Ask whoever runs this conversation's answer to stop; returns its id if any."""
    running = Generation.objects.filter(
        conversation_id=conversation_id, status=_RUNNING
    )
    running.filter(cancel_requested_at=None).update(cancel_requested_at=timezone.now())
    return list(running.values_list("id", flat=True))


@dataclass(frozen=True, slots=True)
class Sight:
    """A running or ended attempt as another process sees it."""

    status: str
    content: str
    is_abandoned: bool


def look(generation_ids: list[int]) -> dict[int, Sight]:
    """Read status and text of attempts in one statement, so that they agree."""
    rows = Generation.objects.filter(pk__in=generation_ids).values_list(
        "id", "status", "message__content", "process", "heartbeat_at"
    )
    return {
        pk: Sight(
            status,
            content,
            status == _RUNNING and is_abandoned(process, heartbeat_at),
        )
        for pk, status, content, process, heartbeat_at in rows
    }
