"""A rollout played again comes out as its log says."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import QuerySet

from flags import decisions, orders, plans, replaying
from flags.gates.knowledge import Knowledge
from flags.models import Decision, Rollout, Window
from flags.plans import Success
from flags.replaying import Replay
from tests.chat.observed import NOON
from tests.flags import ramping
from tests.flags.ordering import BOBS, WHY
from tests.flags.ramping import People

pytestmark = pytest.mark.django_db

_LOOKED_AT = replace(
    ramping.SHORT,
    name="looked-at",
    phases=tuple(
        replace(
            phase,
            success=(
                Success(key="few", metric="error_ratio", threshold=0.5, is_above=False),
                Success(
                    key="sooner",
                    metric="response_time_reduction",
                    threshold=0.2,
                    is_above=True,
                    is_required=False,
                ),
            ),
        )
        for phase in ramping.SHORT.phases
    ),
)
_SLOW = replace(
    ramping.SHORT,
    name="slow",
    slow_ms=520.0,
    harms=tuple(
        replace(harm, alpha=0.05) if harm.event == "slow" else harm
        for harm in plans.GUIDE.harms
    ),
)


class Slower(People):
    """Who uses the feature waits longer."""

    def _say(self, of: Any, moment: Any) -> None:
        super()._say(of, moment)
        of.messages.first().generations.filter(variant="on").update(duration_ms=5000)


def _replayed(rollout: Rollout) -> Replay:
    played = Replay(rollout)
    assert [str(each) for each in played.differences()] == []
    return played


def test_a_healthy_one() -> None:
    rollout = ramping.started(_LOOKED_AT)
    made = ramping.pass_time(People(a_minute=30), minutes=20)

    assert ramping.moves(made)[-1][0] == "complete", [m.sentence for m in made]
    assert _replayed(rollout).tick_count == 40


def test_one_that_harms() -> None:
    rollout = ramping.started()
    made = ramping.pass_time(People(failing=0.8), minutes=8)

    assert "roll_back" in {action for action, _ in ramping.moves(made)}
    _replayed(rollout)


def test_one_that_is_halved() -> None:
    rollout = ramping.started(replace(_SLOW, phases=_SLOW.phases[1:]))
    Rollout.objects.update(phase_index=0)
    made = ramping.pass_time(Slower(a_minute=40), minutes=8)

    actions = {action for action, _ in ramping.moves(made)}
    assert actions & {"halve", "pause"}, [m.sentence for m in made]
    _replayed(rollout)


def test_one_that_people_held_paused_and_advanced() -> None:
    rollout = ramping.started()
    people = People()
    since = NOON
    for minutes, verb, who in (
        (3, "hold", WHY),
        (3, "release", BOBS),
        (4, "advance", WHY),  # phase 2 has seen enough by then
        (3, "pause", WHY),
        (3, "resume", WHY),
        (3, "halve", WHY),
    ):
        ramping.pass_time(people, minutes=minutes, since=since)
        since += timedelta(minutes=minutes)
        orders.give(verb, rollout, who, now=since)
    ramping.pass_time(people, minutes=3, since=since)

    played = _replayed(rollout)
    assert played.tick_count == Decision.objects.count() - 6
    assert list(decisions.verify(rollout)) == []


def test_after_an_hour_without_ticks_and_late_corrections() -> None:
    rollout = ramping.started()
    people = People()
    ramping.pass_time(people, minutes=4)
    later = NOON + timedelta(hours=1, minutes=4)
    people.talk(later)
    ramping.pass_time(people, minutes=2, since=later)
    first = rollout.windows.order_by("begin", "id").first()
    assert first is not None
    Window.objects.create(
        rollout=rollout,
        begin=first.begin,
        end=first.end,
        variant="on",
        phase_index=0,
        percent=Decimal(20),
        is_correction=True,
        error_count=3,
    )

    _replayed(rollout)


def test_what_the_windows_teach_is_what_the_row_knows() -> None:
    rollout = ramping.started()
    ramping.pass_time(People(failing=0.2), minutes=7)
    rollout.refresh_from_db()

    known = Knowledge.from_json(rollout.evidence["knowledge"])
    learnt = replaying.relearnt(rollout)

    assert replace(known, sightings=(), judged=None) == learnt


def test_a_forged_decision_is_found_by_all_that_it_says() -> None:
    rollout = ramping.started()
    made = ramping.pass_time(People(), minutes=3)
    first = Decision.objects.filter(pk=made[0].pk)
    forged = [each | {"sentence": "Well."} for each in made[0].readings]
    QuerySet.update(first, action="hold", readings=forged)

    found = list(replaying.replay(rollout))

    assert {each.number for each in found} == {1}
    assert {each.what for each in found} >= {"action", "the reading errors"}
    assert "is 'hold' in the log, and 'begin'" in str(found[0])


def test_forged_readings_are_found_where_only_their_hash_is_kept() -> None:
    rollout = ramping.started()
    last = ramping.pass_time(People(), minutes=5)[-1]
    assert not last.readings
    readings = last.inputs["readings"] | {"sha256": 64 * "0"}
    forged = last.inputs | {"readings": readings}
    QuerySet.update(Decision.objects.filter(pk=last.pk), inputs=forged)

    found = list(replaying.replay(rollout))

    assert [(each.number, each.what) for each in found] == [
        (last.number, "the SHA-256 of the readings")
    ]


def test_a_rollout_without_decisions_has_nothing_to_differ_in() -> None:
    assert list(replaying.replay(ramping.started())) == []
