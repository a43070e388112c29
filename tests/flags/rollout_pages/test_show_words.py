"""The rollout page says each thing once, and nothing that is over or not known."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from flags import decisions, orders, outlook, plans
from flags.changes import Actor
from flags.decisions import Grounds
from flags.models import Approval, Change, Hold, Rollout
from flags.readings import Kind, Reading, Verdict
from flags.rollout_pages import gate_rows, matrix, standing
from flags.rollouts import Order
from flags.situation import Move, Outcome, State
from tests.chat.observed import NOON
from tests.flags import ordering, pages, ramping
from tests.flags.rollout_pages import sites

_ROLLOUT = Actor("rollout", Change.Channel.AUTOMATION)
_FAILING = Reading(
    key="errors", kind=Kind.HARM, verdict=Verdict.FAIL, sentence="Half of them fail."
)


def _words(client: Client) -> str:
    return pages.words(client.get(sites.NEWEST)).replace("\u00a0", " ")


def _decided(rollout: Rollout, move: Move, sentence: str) -> None:
    """Append what a tick decided, with a gate that fails."""
    rollout.refresh_from_db()
    outcome = Outcome(
        move=move,
        state=State(rollout.state),
        percent=rollout.percent,
        phase_index=0,
        sentence=sentence,
    )
    grounds = Grounds(actor=_ROLLOUT, readings=[_FAILING.as_json()])
    decisions.append(rollout, outcome, at=timezone.now(), grounds=grounds)
    Rollout.objects.filter(pk=rollout.pk).update(version=rollout.version + 1)


def test_a_reason_and_a_cause_are_said_once(alice: Client) -> None:
    rollout = ordering.ramped()
    orders.pause(
        rollout, Order(actor=ramping.ALICE, reason="Odd answers"), now=timezone.now()
    )

    assert _words(alice).count("Odd answers") == 1

    Rollout.objects.update(state="held")
    _decided(rollout, Move.HOLD, "Control fails, too.")
    _decided(rollout, Move.NONE, "Control fails, too.")
    words = _words(alice)
    assert words.count("Control fails, too.") == 1
    assert "Looked at just now, and left as it was." in words
    assert "by rollout" not in words


def test_one_that_a_person_takes_back_has_no_stale_boxes(alice: Client) -> None:
    rollout = ordering.ramped()
    later = timezone.now() + timedelta(days=1)
    Hold.objects.create(rollout=rollout, reason="Lunch", created_by="bob")
    Approval.objects.create(
        rollout=rollout, phase_index=1, requested_by="bob", expires_at=later
    )
    _decided(rollout, Move.NONE, "It stays.")
    before = _words(alice)

    killed = orders.kill(Order(actor=ramping.ALICE, reason=""), now=timezone.now())
    words = _words(alice)

    assert killed.decision
    for stale in ("What fails now", "Held by bob", "must give it", "Kill: off for"):
        assert stale in before, stale
        assert stale not in words, stale
    assert "What failed at the last tick" not in words
    assert "Kill switch.”" not in words


@pytest.mark.django_db
def test_a_gate_that_took_it_back_is_named_as_the_cause() -> None:
    rollout = ordering.placed(State.ROLLED_BACK)

    _decided(rollout, Move.ROLL_BACK, "Rolled back to 0 %: somebody was first.")
    assert not standing.was_taken_back_by_gate(rollout)
    _decided(rollout, Move.ROLL_BACK, "Rolled back to 0 %: Half of them fail.")
    assert standing.was_taken_back_by_gate(rollout)


def test_what_is_not_counted_yet_and_not_drawn_is_no_data(alice: Client) -> None:
    ordering.placed(State.ARMED)

    words = _words(alice)

    assert "New conversations of this rollout, last hour not counted yet" in words
    assert "no new conversations" not in words
    assert words.count("No data yet: no tick has spoken.") == 5
    assert "proves harm." in words
    assert "is no evidence either way" not in words
    assert 'class="chart"' not in alice.get(sites.NEWEST).content.decode()


@pytest.mark.django_db
def test_a_lowered_phase_says_what_it_gives_now() -> None:
    rollout = ordering.placed(State.HELD, percent=Decimal(10))

    first, second, _ = standing.steps(ramping.SHORT, rollout)

    assert (first.percent, first.place) == ("20\u00a0%", "now")
    assert (first.lowered, second.lowered) == ("10\u00a0%", "")


@pytest.mark.django_db
def test_one_that_is_taken_back_has_nothing_left_to_wait_for() -> None:
    seen = outlook.of(ordering.placed(State.ROLLING_BACK), timezone.now())

    assert seen.line == "rolling back at 0 %."


def test_what_is_counted_is_found_after_its_window_and_the_next_look() -> None:
    plan = replace(plans.GUIDE, window_s=120)

    found = {each.trigger: each.deadline for each in matrix.rules(plan)}

    share = found["The share of conversations that get it is not the one that was set"]
    assert share == "within 155\u00a0s of the draw that proves it"
    counted = [words for words in found.values() if "of the turn that proves" in words]
    assert set(counted) == {"within 155\u00a0s of the turn that proves it"}
    assert len(counted) == len(plan.harms)


def test_what_the_sentence_says_is_not_said_again() -> None:
    told = replace(
        _FAILING,
        kind=Kind.SUCCESS,
        verdict=Verdict.NOT_YET,
        sentence="293 more treatment conversations would tell.",
        needed_count=293,
        needed_s=600.0,
    )
    untold = replace(told, sentence="Somebody must decide.")

    [group] = gate_rows.groups([told, untold], looked_at=NOON)

    assert [each.needs for each in group.rows] == [
        "",
        "about 293 more conversations (about 10\u00a0min)",
    ]
    assert "12:00 UTC" in group.hint
