"""Messages as the pages show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F
from django.utils.safestring import SafeString

from chat import rendering
from chat.models import Generation, Message

_Status = Message.Status
_WORDS = {True: "good", False: "bad", None: ""}
_LIMIT_NOTES = {
    "MAX_TOKENS": "The answer reached the model's length limit.",
    "MAX_ANSWER_CHARS": "The answer reached the longest length that is kept here.",
}


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message with all that is said about it."""

    id: int
    conversation_id: int
    role: str
    html: SafeString
    status: str
    note: str
    tone: str
    can_retry: bool
    can_continue: bool
    can_rate: bool
    rating: str
    created_at: datetime
    details: str
    staff_details: str


def of_messages(
    messages: Iterable[Message], *, is_for_staff: bool = False
) -> list[Bubble]:
    """Return bubbles in the order given, with one query for all their attempts.

    Staff are also told how each answer was made.
    """
    listed = list(messages)
    answers = [each.pk for each in listed if each.role == Message.Role.ASSISTANT]
    found = Generation.objects.filter(message_id__in=answers).order_by("id")
    attempts, ratings = {}, {}
    for attempt in found.annotate(is_good=F("message__rating__is_good")):
        attempts[attempt.message_id] = attempt
        ratings[attempt.message_id] = _WORDS[attempt.is_good]
    last = listed[-1].pk if listed else None
    return [
        _bubble(
            message,
            attempts.get(message.pk),
            rating=ratings.get(message.pk, ""),
            is_last=message.pk == last,
            is_for_staff=is_for_staff,
        )
        for message in listed
    ]


def _bubble(
    message: Message,
    attempt: Generation | None,
    *,
    rating: str,
    is_last: bool,
    is_for_staff: bool,
) -> Bubble:
    is_answer = message.role == Message.Role.ASSISTANT
    is_broken = is_answer and is_last and message.can_be_retried
    render = rendering.render if is_answer else rendering.render_user
    return Bubble(
        id=message.pk,
        conversation_id=message.conversation_id,
        role=message.role,
        html=render(message.content),
        status=message.status,
        note=_note(message.status, attempt) if is_answer else "",
        tone="info" if message.status == _Status.STOPPED else "error",
        can_retry=is_broken,
        can_continue=is_broken and message.can_be_continued,
        can_rate=is_answer and message.can_be_rated,
        rating=rating,
        created_at=message.created_at,
        details=_details(attempt, is_brief=is_for_staff) if attempt else "",
        staff_details=_staff_details(attempt) if attempt and is_for_staff else "",
    )


def _note(status: str, attempt: Generation | None) -> str:
    """Return what happened, in one sentence; nothing for a good answer."""
    if status == _Status.STOPPED:
        return "You stopped this answer."
    if status in (_Status.COMPLETE, _Status.PENDING, _Status.STREAMING):
        return ""
    if attempt is None:
        return "The answer was interrupted."
    return attempt.error_detail or _LIMIT_NOTES.get(
        attempt.finish_reason, "The answer was interrupted."
    )


def _details(attempt: Generation, *, is_brief: bool) -> str:
    """Return model and measured figures; what was not reported is left out.

    Brief: the model alone, where the staff's line has the figures.
    """
    parts = [attempt.model_version or attempt.model]
    if is_brief:
        return parts[0] if attempt.ended_at else ""
    if attempt.prompt_tokens is not None and attempt.output_tokens is not None:
        cached = f" ({attempt.cached_tokens} cached)" if attempt.cached_tokens else ""
        parts.append(
            f"{attempt.prompt_tokens} prompt tokens{cached}, "
            f"{attempt.output_tokens} answer tokens"
        )
    if attempt.time_to_first_token_ms is not None:
        parts.append(f"first word after {attempt.time_to_first_token_ms / 1000:.1f} s")
    return " · ".join(parts) if attempt.ended_at else ""


def _staff_details(attempt: Generation) -> str:
    """Return how an attempt was made, in the words of the control room."""
    if attempt.ended_at is None:
        return ""
    session = attempt.get_session_outcome_display() if attempt.session_outcome else ""
    variant = attempt.variant or "no variant"
    parts = [
        f"{variant} ({attempt.variant_reason})" if attempt.variant_reason else variant,
        attempt.strategy,
        f"{session} ({attempt.session_note})" if attempt.session_note else session,
        f"prompt {_measured(attempt.prompt_tokens, 'tokens')}",
        f"cached {_measured(attempt.cached_tokens, 'tokens')}",
        f"output {_measured(attempt.output_tokens, 'tokens')}",
        f"first token {_measured(attempt.time_to_first_token_ms, 'ms')}",
        f"total {_measured(attempt.duration_ms, 'ms')}",
    ]
    return " · ".join(part for part in parts if part)


def _measured(value: float | None, unit: str) -> str:
    return "not reported" if value is None else f"{value:,.0f} {unit}"
