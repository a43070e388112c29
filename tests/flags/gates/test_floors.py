"""Floors, in tables: what is bad on its own, and who is to blame."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flags import plans
from flags.gates import floors
from flags.gates.floors import Facts
from flags.gates.knowledge import Knowledge, Sighting
from flags.observations import ArmSummary
from flags.plans import Action
from flags.readings import Kind, Reading, Verdict
from tests.flags.gates.arms import arm, spread

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
OK, BAD, SO_SO = "healthy", "unhealthy", "degraded"


def _reading(key: str, facts: Facts) -> Reading:
    (found,) = [r for r in floors.readings(facts, plans.GUIDE) if r.key == key]
    return found


def _seen(**each: Any) -> Facts:
    """Return what ticks half a minute apart saw."""
    knowledge = Knowledge()
    (name, values) = next(iter(each.items()))
    for number, value in enumerate(values):
        at = NOON + timedelta(seconds=30 * number)
        knowledge = floors.see(knowledge, Sighting(at=at, **{name: value}))
    return Facts(sightings=knowledge.sightings)


@pytest.mark.parametrize("key", ["health", "database"])
@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ([], Verdict.NO_DATA),
        ([None], Verdict.NO_DATA),
        ([BAD, BAD, None], Verdict.NO_DATA),
        ([OK], Verdict.PASS),
        ([BAD], Verdict.PASS),
        ([BAD, BAD], Verdict.PASS),
        ([BAD, BAD, SO_SO], Verdict.PASS),
        ([BAD, None, BAD], Verdict.PASS),
        ([BAD, OK, BAD, BAD], Verdict.PASS),
        ([BAD, BAD, BAD], Verdict.FAIL),
        ([OK, BAD, BAD, BAD], Verdict.FAIL),
    ],
)
def test_three_times_unhealthy_rolls_back(
    key: str, states: list[str | None], verdict: Verdict
) -> None:
    found = _reading(key, _seen(**{key: states}))

    assert found.kind is Kind.FLOOR
    assert found.verdict is verdict
    if verdict is Verdict.FAIL:
        assert found.action is Action.ROLL_BACK


def test_the_sentences_name_what_is_unwell() -> None:
    facts = _seen(database=[BAD, BAD])

    assert _reading("database", facts).sentence == (
        "The database is unhealthy, 2 of 3 times."
    )
    assert _reading("health", facts).sentence == "The service's health is not known."


@pytest.mark.parametrize(
    ("used", "is_limited", "verdict"),
    [
        ([], False, Verdict.NO_DATA),
        ([95, 95, None], False, Verdict.NO_DATA),
        ([95, 95], False, Verdict.PASS),
        ([95, 89, 95], False, Verdict.PASS),
        ([90, 90, 90], False, Verdict.PASS),
        ([91, 95, 91], False, Verdict.FAIL),
        ([85], False, Verdict.PASS),
        ([85], True, Verdict.FAIL),
        ([80], True, Verdict.FAIL),
        ([79.9], True, Verdict.PASS),
    ],
)
def test_memory_limits_sessions_until_it_has_come_down_well(
    used: list[float | None], is_limited: bool, verdict: Verdict
) -> None:
    seen = _seen(memory_percent=used)
    facts = Facts(sightings=seen.sightings, are_sessions_limited=is_limited)

    found = _reading("memory", facts)

    assert found.verdict is verdict
    if verdict is not Verdict.NO_DATA:
        assert found.action is Action.LIMIT_SESSIONS


def test_two_ticks_at_once_are_one_sighting() -> None:
    knowledge = Knowledge()
    for second in (0, 1, 30, 31):
        at = NOON + timedelta(seconds=second)
        knowledge = floors.see(knowledge, Sighting(at=at, health=BAD))

    assert [each.at.second for each in knowledge.sightings] == [0, 30]


@pytest.mark.parametrize("every_s", [1, 2, 6, 9, 11])
def test_ticks_in_quick_succession_come_to_three_in_a_row(every_s: int) -> None:
    knowledge = Knowledge()
    for second in range(0, 45, every_s):
        at = NOON + timedelta(seconds=second)
        seen = Sighting(at=at, health=BAD, database=BAD, memory_percent=95)
        knowledge = floors.see(knowledge, seen)
    facts = Facts(sightings=knowledge.sightings)

    for key in ("health", "database", "memory"):
        assert _reading(key, facts).verdict is Verdict.FAIL


def test_the_worst_that_is_known_counts_where_two_ticks_are_one_sighting() -> None:
    one = Sighting(at=NOON, health=BAD, database=None, memory_percent=91)
    other = Sighting(
        at=NOON + timedelta(seconds=4), health=OK, database=SO_SO, memory_percent=80
    )
    unknown = Sighting(at=NOON + timedelta(seconds=8))

    knowledge = Knowledge()
    for each in (one, other, unknown):
        knowledge = floors.see(knowledge, each)

    (found,) = knowledge.sightings
    assert found == Sighting(at=NOON, health=BAD, database=SO_SO, memory_percent=91)


def test_a_clock_that_was_set_back_leaves_no_sighting_of_the_future() -> None:
    knowledge = Knowledge()
    for minute in (0, -60):
        at = NOON + timedelta(minutes=minute)
        knowledge = floors.see(knowledge, Sighting(at=at, health=BAD))

    assert [each.at for each in knowledge.sightings] == [NOON - timedelta(hours=1)]


def test_a_row_that_was_broken_off_is_none() -> None:
    knowledge = Knowledge()
    for minute in (0, 60, 61):
        at = NOON + timedelta(minutes=minute)
        knowledge = floors.see(knowledge, Sighting(at=at, health=BAD))

    assert len(knowledge.sightings) == 2


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict", "action"),
    [
        ((0, 0), (0, 0), Verdict.PASS, Action.ROLL_BACK),
        ((6, 4), (300, 1), Verdict.PASS, Action.ROLL_BACK),
        ((51, 5), (300, 1), Verdict.PASS, Action.ROLL_BACK),
        ((50, 5), (450, 2), Verdict.FAIL, Action.HOLD),
        ((50, 9), (450, 2), Verdict.FAIL, Action.ROLL_BACK),
        ((50, 40), (300, 14), Verdict.FAIL, Action.ROLL_BACK),
        ((50, 40), (300, 15), Verdict.FAIL, Action.HOLD),
        ((300, 60), (17, 0), Verdict.FAIL, Action.HOLD),
        ((300, 300), (17, 0), Verdict.FAIL, Action.ROLL_BACK),
        ((50, 50), (0, 0), Verdict.FAIL, Action.HOLD),
    ],
)
def test_who_fails_alone_is_taken_back(
    ours: tuple[int, int],
    theirs: tuple[int, int],
    verdict: Verdict,
    action: Action,
) -> None:
    found = _reading("error_share", Facts(treatment=arm(*ours), control=arm(*theirs)))

    assert (found.verdict, found.action) == (verdict, action)


@pytest.mark.parametrize(
    ("theirs", "end"),
    [
        ((300, 1), "1 of 300 in control."),
        ((300, 99), "99 of 300 in control: both arms fail, so it is the provider."),
        (
            (3, 0),
            "0 of 3 in control: control can't tell yet whose fault it is.",
        ),
    ],
)
def test_the_sentence_says_whose_fault_it_is(theirs: tuple[int, int], end: str) -> None:
    found = _reading("error_share", Facts(treatment=arm(40, 20), control=arm(*theirs)))

    assert found.sentence == (
        f"20 of 40 treatment conversations failed in 10 min, {end}"
    )


@pytest.mark.parametrize("key", ["error_share", "slowness"])
def test_what_could_not_be_read_is_no_data(key: str) -> None:
    assert _reading(key, Facts()).verdict is Verdict.NO_DATA


@pytest.mark.parametrize(
    ("ours_ms", "theirs_ms", "count", "verdict"),
    [
        (3100, 3100, 9, Verdict.FAIL),
        (3100, 2900, 9, Verdict.PASS),
        (2900, 3100, 9, Verdict.PASS),
        (3100, 3100, 4, Verdict.PASS),
    ],
)
def test_it_stands_still_while_both_arms_are_slow(
    ours_ms: float, theirs_ms: float, count: int, verdict: Verdict
) -> None:
    ours, theirs = (
        ArmSummary(log_latency=spread(count, math.log(ms)))
        for ms in (ours_ms, theirs_ms)
    )

    found = _reading("slowness", Facts(treatment=ours, control=theirs))

    assert found.verdict is verdict
    assert found.action is Action.HOLD


def test_there_are_five_floors() -> None:
    keys = [r.key for r in floors.readings(Facts(), plans.GUIDE)]

    assert keys == ["health", "database", "error_share", "slowness", "memory"]
