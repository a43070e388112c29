"""What a turn is going to send, as its opening sees it, and what that costs."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import openings, plans, records, sessions
from chat.models import Conversation, Generation, LiveSession, Message
from chat.openings import Ask, Turn
from chat.ownership import Caller
from chat.plans import Plan
from chat.records import Outcome
from chat.sessions import Session
from chat.strategies import HISTORY, INTERACTIONS, STATELESS, Context
from flags import runtime
from monitoring import metrics
from tests.chat import stored
from tests.chat.stored import MODEL, SIGNED

pytestmark = pytest.mark.django_db

_CONTEXT = Context(model=MODEL, personality="default", message="Now")


def _asked(of: Conversation) -> int:
    """Add the question that is planned for; return its id."""
    question = Message.objects.create(
        conversation=of, role="user", content="Now", status="complete"
    )
    return question.pk


def _planned(of: Conversation) -> Plan:
    return plans.persistent(of, _asked(of), _CONTEXT)


def _live(of: Conversation, **changes: Any) -> Session:
    """Keep and register a session that knows all that was said."""
    newest = of.messages.order_by("-id").first()
    assert newest is not None
    session = stored.session(of, **{"version": newest.pk} | changes)
    sessions.pool().keep(session)
    stored.registered(of)
    return session


def _said(plan: Plan) -> list[str]:
    return [line.text for line in plan.context.history]


def test_in_control_the_recent_messages_are_told_and_no_outcome() -> None:
    of = stored.conversation()
    stored.turn(of, "One", "Two", signatures=[SIGNED])

    plan = plans.stateless(of, _asked(of), _CONTEXT)

    assert (plan.strategy, plan.outcome, plan.note) == (STATELESS, "", "")
    assert _said(plan) == ["One", "Two"]
    assert plan.context.session is None


def test_in_control_a_live_session_is_not_used() -> None:
    of = stored.conversation()
    stored.turn(of)
    _live(of)

    plan = plans.stateless(of, _asked(of), _CONTEXT)

    assert plan.context.session is None


def test_a_first_turn_creates_and_reads_nothing() -> None:
    of = stored.conversation()

    plan = _planned(of)

    assert (plan.strategy, plan.outcome, plan.note) == (HISTORY, "created", "")
    assert (_said(plan), plan.recent) == ([], [])


def test_a_session_that_knows_all_is_a_hit() -> None:
    of = stored.conversation()
    stored.turn(of)
    session = _live(of)

    plan = _planned(of)

    assert (plan.strategy, plan.outcome, plan.note) == (HISTORY, "hit", "")
    assert plan.context.session is session
    assert _said(plan) == []


def test_a_session_that_missed_something_is_topped_up_with_just_that() -> None:
    of = stored.conversation()
    stored.turn(of, "Known", "Known")
    session = _live(of)
    stored.turn(of, "Missed", "Too", signatures=[SIGNED])

    plan = _planned(of)

    assert (plan.outcome, plan.note) == ("topped_up", "")
    assert plan.context.session is session
    assert _said(plan) == ["Missed", "Too"]
    assert plan.context.history[1].signed == [SIGNED]


def test_what_was_blocked_since_is_not_missed() -> None:
    of = stored.conversation()
    stored.turn(of)
    _live(of)
    stored.turn(of, "Harmful", "", status="blocked")

    assert _planned(of).outcome == "hit"


def test_without_a_session_the_turn_recovers_it_by_itself() -> None:
    stored.put(
        ENABLE_SESSION_RECOVERY=True,
        MAX_RECOVERY_HISTORY_MESSAGES=12,
        RECOVERY_TIMEOUT_SECONDS=7,
    )
    of = stored.conversation()
    stored.turn(of, "One", "Two")

    plan = _planned(of)

    assert (plan.strategy, plan.outcome, plan.note) == (HISTORY, "recovered", "")
    assert plan.recovery == plans.Recovery(True, 12, 7)
    assert _said(plan) == []


def test_what_replaces_a_failed_recovery_is_at_hand() -> None:
    of = stored.conversation()
    stored.turn(of, "One", "Two")

    plan = _planned(of)

    assert plan.recent is not None
    assert [line.text for line in plan.recent] == ["One", "Two"]


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"model": "another-model"}, "model_changed"),
        ({"strategy": "interactions"}, "strategy_changed"),
        ({"contents": ({"role": "user", "parts": []},) * 1199}, "too_long"),
    ],
)
def test_a_session_that_does_not_fit_is_recovered(
    changes: dict[str, Any], note: str
) -> None:
    of = stored.conversation()
    stored.turn(of)
    _live(of, **changes)

    plan = _planned(of)

    assert (plan.outcome, plan.note) == ("recovered", note)
    assert plan.context.session is None
    assert plan.recent


@pytest.mark.parametrize("how", ["deleted", "expired", "another process's"])
def test_a_session_whose_row_does_not_allow_it_is_dropped(how: str) -> None:
    of = stored.conversation()
    stored.turn(of)
    session = _live(of)
    rows = LiveSession.objects.all()
    if how == "deleted":
        rows.delete()
    elif how == "expired":
        rows.update(used_at="2020-01-01T00:00:00Z")
    else:
        rows.update(process=stored.ELSEWHERE.format(1))

    plan = _planned(of)

    assert (plan.outcome, plan.note) == ("recovered", "closed")
    assert sessions.pool().find(session.conversation_id) is None


@pytest.mark.parametrize(("missed", "outcome"), [(1, "topped_up"), (2, "recovered")])
def test_a_session_that_missed_more_than_a_recovery_takes_is_recovered(
    missed: int, outcome: str
) -> None:
    stored.put(MAX_RECOVERY_HISTORY_MESSAGES=2)
    of = stored.conversation()
    stored.turn(of)
    _live(of)
    for _ in range(missed):
        stored.turn(of)

    plan = _planned(of)

    assert plan.outcome == outcome
    assert plan.note == ("too_stale" if outcome == "recovered" else "")


def test_the_strategy_is_the_one_that_is_set_now() -> None:
    stored.put(PERSISTENT_SESSION_STRATEGY="interactions")
    of = stored.conversation()

    assert _planned(of).strategy is INTERACTIONS


def _talked(message_count: int, *, variant: str) -> Conversation:
    """Return a conversation of so many messages, with its live session if any."""
    of = stored.conversation(variant=variant, message_count=message_count)
    Message.objects.bulk_create(
        Message(
            conversation=of,
            role="assistant" if number % 2 else "user",
            content=f"Message {number}",
            status="complete",
        )
        for number in range(message_count)
    )
    if variant == "on":
        _live(of)
    return of


def _end(turn: Turn, session: Session | None) -> None:
    records.end(
        conversation_id=turn.conversation_id,
        generation_id=turn.generation_id,
        message_id=turn.message_id,
        outcome=Outcome(
            status=Generation.Status.COMPLETE,
            content="Answer",
            session_outcome="hit" if session else "",
            session=session,
        ),
    )


def _queries_of_a_turn(of: Conversation) -> tuple[int, int]:
    """Return how many statements open a turn and how many end it.

    What the end counts is written in one of them, as the writer does.
    """
    ask = Ask(lambda: Caller(of.owner_id), of.pk, "203.0.113.9")
    with CaptureQueriesContext(connection) as opening:
        turn = openings.message(ask, text="Now", key=None)
    assert turn.plan is not None
    found = turn.plan.context.session
    with CaptureQueriesContext(connection) as ending, metrics.gathering():
        _end(turn, found)
    return len(opening), len(ending)


@pytest.mark.parametrize("message_count", [2, 400])
@pytest.mark.parametrize(("variant", "expected"), [("off", (10, 3)), ("on", (11, 4))])
def test_a_turn_costs_the_same_few_statements_however_long_the_conversation(
    monkeypatch: pytest.MonkeyPatch,
    variant: str,
    message_count: int,
    expected: tuple[int, int],
) -> None:
    monkeypatch.setattr(runtime, "LEASE_S", 3600)
    stored.roll_out(100 if variant == "on" else 0)
    of = _talked(message_count, variant=variant)
    _queries_of_a_turn(_talked(2, variant=variant))  # settings are read, rows made

    assert _queries_of_a_turn(of) == expected
