"""Success: when it is judged, what is proved, and what is still needed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log

import pytest

from flags import plans
from flags.gates import success
from flags.gates.knowledge import Knowledge
from flags.gates.success import Facts
from flags.observations import ArmSummary
from flags.plans import HOUR_S, Plan, Success
from flags.readings import Reading, Verdict
from tests.flags.gates.arms import arm, spread

BEGIN = datetime(2026, 11, 26, 12, tzinfo=UTC)
SOONER = Success(
    key="sooner", metric="response_time_reduction", threshold=0.2, is_above=True
)
FEWER = Success(
    key="fewer", metric="billed_token_reduction", threshold=0.4, is_above=True
)
RIGHT = Success(key="few_errors", metric="error_ratio", threshold=0.01, is_above=False)
HITS = Success(key="hits", metric="session_hit_ratio", threshold=0.6, is_above=True)
LIKED = Success(key="satisfied", metric="dislike_ratio", threshold=0.02, is_above=False)


def _plan(*gates: Success) -> Plan:
    """Return a plan whose second phase, 48 hours at 10 %, asks for these."""
    first, second, *rest = plans.GUIDE.phases
    return replace(plans.GUIDE, phases=(first, replace(second, success=gates), *rest))


def _facts(treatment: ArmSummary, control: ArmSummary, *, hours: float = 12) -> Facts:
    return Facts(
        phase_index=1,
        elapsed_s=hours * HOUR_S,
        treatment=treatment,
        control=control,
    )


def _judged(gate: Success, facts: Facts, *, look: int = 0) -> Reading:
    (found,) = success.readings(
        success.judge(Knowledge(), _plan(gate), facts, look=look), 1
    )
    return found


def _timed(ratio: float, count: int = 350) -> Facts:
    """Return a quarter of the phase: treatment's typical answer takes so much less."""
    return _facts(
        arm(count, log_latency=spread(count, log(2000 * ratio))),
        arm(9 * count, log_latency=spread(9 * count, log(2000))),
    )


# --- When -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "taken", "look"),
    [
        (0, 0, None),
        (11.9, 0, None),
        (12, 0, 0),
        (13, 1, None),
        (24, 1, 1),
        (36, 0, 2),
        (48, 3, 3),
        (48.9, 4, None),
        (49, 4, 4),
        (53.5, 4, 8),
        (48 + 168, 100, 171),
        (999, 172, None),
    ],
)
def test_a_look_is_due_once_its_time_has_come(
    hours: float, taken: int, look: int | None
) -> None:
    now = BEGIN + timedelta(hours=hours)

    found = success.due(plans.GUIDE, 1, phase_since=BEGIN, now=now, taken=taken)

    assert found == look


# --- What is proved -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "look", "verdict"),
    [
        (0.5, 0, Verdict.PASS),
        (0.7, 3, Verdict.PASS),
        (0.74, 0, Verdict.NOT_YET),
        (0.79, 3, Verdict.NOT_YET),
        (0.81, 3, Verdict.NOT_YET),
        (0.95, 3, Verdict.FAIL),
        (1.4, 0, Verdict.FAIL),
        (0.95, 4, Verdict.FAIL),
        (0.65, 4, Verdict.PASS),
    ],
)
def test_answers_must_be_proved_sooner(
    ratio: float, look: int, verdict: Verdict
) -> None:
    assert _judged(SOONER, _timed(ratio), look=look).verdict is verdict


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_to_compare_are_no_data(count: int) -> None:
    found = _judged(SOONER, _timed(0.5, count))

    assert found.verdict is Verdict.NO_DATA
    assert found.sentence == (
        "Too few conversations of both arms were measured for sooner."
    )


def test_a_handful_proves_nothing() -> None:
    assert _judged(SOONER, _timed(0.05, 29), look=3).verdict is Verdict.NOT_YET
    assert _judged(SOONER, _timed(0.05, 30), look=3).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("turns", "errors", "squares", "verdict"),
    [
        (6000, 10, 10, Verdict.PASS),
        (6000, 10, 100, Verdict.NOT_YET),
        (600, 0, 0, Verdict.NOT_YET),
        (6000, 60, 60, Verdict.NOT_YET),
        (6000, 120, 120, Verdict.FAIL),
        (0, 0, 0, Verdict.NO_DATA),
    ],
)
def test_few_errors_must_be_proved_and_those_of_one_conversation_count_less(
    turns: int, errors: int, squares: int, verdict: Verdict
) -> None:
    ours = arm(turns // 6, turn_count=turns, error_count=errors, error_squares=squares)

    assert _judged(RIGHT, _facts(ours, arm(9000))).verdict is verdict


@pytest.mark.parametrize(
    ("searched", "ratio", "verdict"),
    [
        (0, 0.0, Verdict.NO_DATA),
        (10, 0.9, Verdict.NOT_YET),
        (200, 0.9, Verdict.PASS),
        (200, 0.62, Verdict.NOT_YET),
        (200, 0.4, Verdict.FAIL),
    ],
)
def test_sessions_must_be_found(searched: int, ratio: float, verdict: Verdict) -> None:
    ours = arm(300, searched_count=searched, hit_ratio_sum=searched * ratio)

    assert _judged(HITS, _facts(ours, arm(2700))).verdict is verdict


def test_nobody_rated_is_no_data() -> None:
    found = _judged(LIKED, _facts(arm(300), arm(2700)))

    assert found.verdict is Verdict.NO_DATA
    assert found.sentence == "Nobody has rated in treatment yet."


def test_what_was_proved_stays_proved_until_the_opposite_is() -> None:
    plan = _plan(SOONER)
    knowledge = success.judge(Knowledge(), plan, _timed(0.5), look=0)
    weaker = success.judge(knowledge, plan, _timed(0.78, 700), look=1)
    refuted = success.judge(weaker, plan, _timed(1.1, 1400), look=3)

    (still,), (no_more,) = (success.readings(k, 1) for k in (weaker, refuted))

    assert still.verdict is Verdict.PASS
    assert still.sentence.endswith("; proved at look 1.")
    assert no_more.verdict is Verdict.FAIL


def test_a_phase_that_begins_again_is_judged_anew() -> None:
    plan, again = _plan(SOONER), BEGIN + timedelta(hours=20)
    facts = replace(_timed(0.5), since=BEGIN)
    knowledge = success.judge(Knowledge(), plan, facts, look=3)

    assert success.readings(knowledge, 1, BEGIN)
    assert success.readings(knowledge, 1, again) == []
    assert knowledge.judged_in(1, again).next_look == 0


def test_a_look_without_news_is_none() -> None:
    plan = _plan(SOONER)
    first = success.judge(Knowledge(), plan, _timed(0.78), look=0)

    second = success.judge(first, plan, _timed(0.78), look=1)

    assert second.judged_in(1).next_look == 2
    assert second.judged_in(1).looks == first.judged_in(1).looks
    (found,) = success.readings(second, 1)
    assert found.verdict is Verdict.NOT_YET


def test_much_more_traffic_than_planned_leaves_something_for_the_last_look() -> None:
    plan, knowledge = _plan(SOONER), Knowledge()
    for look in range(4):
        facts = _timed(0.8, 20_000 * (look + 1))
        knowledge = success.judge(knowledge, plan, facts, look=look)

    bounds = [look.bound_z for look in knowledge.judged_in(1).looks["sooner"]]

    assert bounds == sorted(bounds, reverse=True)
    assert 1.6 < bounds[-1] < 1.8
    assert bounds[0] > 3


# --- What is said ---------------------------------------------------------------------


def test_the_sentence_says_what_was_measured_and_what_is_missing() -> None:
    proved = _judged(SOONER, _timed(0.5))
    needs = _judged(SOONER, _timed(0.78, 250), look=1)
    opposite = _judged(SOONER, _timed(1.4))

    assert proved.sentence == (
        "Answers were 50 % sooner (at least 20 % sooner is asked for); proved at look "
        "1."
    )
    assert needs.needed_count is not None
    assert needs.needed_s == pytest.approx(needs.needed_count * 12 * HOUR_S / 250)
    assert needs.sentence.startswith(
        "Answers were 22 % sooner (at least 20 % sooner is asked for); "
    )
    assert needs.sentence.endswith(" would tell.")
    assert opposite.sentence == (
        "Answers were 40 % later (at least 20 % sooner is asked for): it is proved "
        "that this is not reached."
    )


def test_what_is_needed_is_about_what_it_takes() -> None:
    now = _timed(0.74, 200)
    needed = _judged(SOONER, now, look=2).needed_count
    assert needed is not None

    then = _timed(0.74, 200 + needed)

    assert _judged(SOONER, then, look=3).verdict is Verdict.PASS
    assert 50 < needed < 1000


def test_the_needed_share_is_in_conversations() -> None:
    ours = arm(100, searched_count=50, hit_ratio_sum=37)
    needed = _judged(HITS, _facts(ours, arm(900))).needed_count
    assert needed is not None

    more = arm(
        100 + needed,
        searched_count=50 + needed // 2 + 20,
        hit_ratio_sum=0.74 * (50 + needed // 2 + 20),
    )

    assert _judged(HITS, _facts(more, arm(900))).verdict is Verdict.PASS


def test_when_the_extension_is_over_somebody_must_decide() -> None:
    facts = replace(_timed(0.79), elapsed_s=(48 + 168) * HOUR_S)

    found = _judged(SOONER, facts, look=171)

    assert found.verdict is Verdict.NOT_YET
    assert found.sentence.endswith("the extension is over, so somebody must decide.")


def test_tokens_are_compared_by_their_own_logarithms() -> None:
    facts = _facts(
        arm(350, log_tokens=spread(350, log(900))),
        arm(3150, log_tokens=spread(3150, log(2000))),
    )

    found = _judged(FEWER, facts, look=3)

    assert found.verdict is Verdict.PASS
    assert found.sentence.startswith("Prompts had 55 % fewer tokens (at least 40 %")


def test_a_metric_that_nobody_measures_is_an_error() -> None:
    gate = replace(HITS, metric="smiles")

    with pytest.raises(ValueError, match="which nobody measures: one of"):
        _judged(gate, _timed(0.5))
