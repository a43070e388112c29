"""Few decisions keep what the gates said; all give it back."""

import json
from itertools import pairwise

import pytest
from django.db.models import QuerySet

from flags import decisions, orders, recalling
from flags.models import Decision, Rollout
from flags.readings import Reading
from tests.chat.observed import NOON
from tests.flags import ramping
from tests.flags.commands import run, run_json
from tests.flags.ordering import WHY
from tests.flags.ramping import TICK, People

pytestmark = pytest.mark.django_db


def _ramp(minutes: float = 15) -> tuple[Rollout, list[Decision]]:
    rollout = ramping.started()
    made = ramping.pass_time(People(a_minute=20), minutes=minutes)
    rollout.refresh_from_db()
    return rollout, made


def _verdicts(readings: list[Reading]) -> list[tuple[str, str, str]]:
    return [(each.key, each.verdict, each.action) for each in readings]


def test_they_are_kept_where_something_was_done_or_is_new_and_now_and_then() -> None:
    _, made = _ramp()

    kept = {each.number for each in made if each.readings}

    assert kept >= {each.number for each in made if each.action != "none"}
    assert len(kept) < len(made) / 2
    ordered = sorted(kept)
    assert max(b - a for a, b in pairwise(ordered)) <= 20


def test_every_decision_has_their_hash_and_says_who_keeps_the_same_verdicts() -> None:
    _, made = _ramp()

    for each in made:
        keeper = decisions.keeper(each)
        assert keeper is not None
        assert keeper.number <= each.number
        exact = recalling.exact(each)
        assert exact.note == ""
        as_json = [reading.as_json() for reading in exact.readings]
        assert decisions.digest(as_json) == each.inputs["readings"]["sha256"]
        near = recalling.kept(each)
        assert _verdicts(list(near.readings)) == _verdicts(list(exact.readings))


def test_after_a_persons_word_the_next_tick_keeps_them() -> None:
    rollout, _ = _ramp(minutes=3)
    now = NOON + 6 * TICK
    orders.give("hold", rollout, WHY, now=now)

    [after, later] = ramping.pass_time(People(), minutes=1, since=now)

    assert after.readings
    word = Decision.objects.get(number=after.number - 1)
    assert recalling.exact(word).readings == []
    assert later.inputs["readings"]["kept_by"] == after.number


def test_those_of_the_newest_tick_come_from_what_the_row_has_learnt() -> None:
    rollout, made = _ramp(minutes=5)
    last = made[-1]
    assert not last.readings

    newest = recalling.newest(rollout, last)

    assert newest == recalling.exact(last)
    rollout.evidence = {}
    assert recalling.newest(rollout, last) == recalling.kept(last)


def test_what_does_not_come_out_as_it_was_said_is_of_an_earlier_one() -> None:
    _, made = _ramp(minutes=5)
    last = made[-1]
    kept_by = last.inputs["readings"]["kept_by"]
    forged = last.inputs | {"readings": {"sha256": "", "kept_by": kept_by}}
    QuerySet.update(Decision.objects.filter(pk=last.pk), inputs=forged)

    told = run("rollout", "explain", str(last.number))
    document = run_json("rollout", "explain", str(last.number))

    assert f"Readings of decision {kept_by}, " in told
    assert f"Readings of decision {kept_by}, " in document["note"]
    assert document["readings"] == Decision.objects.get(number=kept_by).readings


def test_a_tick_takes_little_room() -> None:
    _, made = _ramp(minutes=30)

    sizes = [
        len(json.dumps([each.inputs, each.readings], separators=(",", ":")))
        for each in made[-20:]
    ]

    assert sum(sizes) / len(sizes) < 1200
