"""Who gets a feature, and why."""

import itertools
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flags import evaluation
from flags.bucketing import bucket
from flags.evaluation import Reason, State, Variant
from flags.models import Flag

_KEY = "persistent_sessions"
_SALT = "salt"
_INSIDE = "1"  # bucket 16
_OUTSIDE = "conversation:7"  # bucket 8075


def _state(percent: str = "50", *, is_on: bool = True) -> State:
    return State(_KEY, is_on, Decimal(percent), _SALT)


@pytest.mark.parametrize(
    ("state", "subject", "held", "expected"),
    [
        (None, _INSIDE, "", (Variant.OFF, Reason.ERROR)),
        (None, _INSIDE, "on", (Variant.OFF, Reason.ERROR)),
        (_state(is_on=False), _INSIDE, "", (Variant.OFF, Reason.DISABLED)),
        (_state(is_on=False), _INSIDE, "on", (Variant.OFF, Reason.DISABLED)),
        (_state("100", is_on=False), _INSIDE, "on", (Variant.OFF, Reason.DISABLED)),
        (_state("0"), _INSIDE, "on", (Variant.OFF, Reason.STATIC)),
        (_state("100"), _OUTSIDE, "", (Variant.ON, Reason.STATIC)),
        (_state("100"), _OUTSIDE, "off", (Variant.ON, Reason.STATIC)),
        (_state(), _INSIDE, "", (Variant.ON, Reason.SPLIT)),
        (_state(), _INSIDE, "on", (Variant.ON, Reason.SPLIT)),
        (_state(), _INSIDE, "off", (Variant.OFF, Reason.DEFAULT)),
        (_state(), _OUTSIDE, "", (Variant.OFF, Reason.SPLIT)),
        (_state(), _OUTSIDE, "on", (Variant.OFF, Reason.SPLIT)),
        (_state(), _OUTSIDE, "off", (Variant.OFF, Reason.DEFAULT)),
    ],
)
def test_the_decision(
    state: State | None, subject: str, held: str, expected: tuple[Variant, Reason]
) -> None:
    decision = evaluation.decide(state, targeting_key=subject, held=held)

    assert (decision.variant, decision.reason) == expected
    assert decision.is_on is (expected[0] is Variant.ON)


def test_a_decision_by_bucket_says_which() -> None:
    decided = evaluation.decide(_state(), targeting_key=_OUTSIDE)

    place = bucket(flag_key=_KEY, targeting_key=_OUTSIDE, salt=_SALT)
    assert decided.bucket == place
    assert evaluation.decide(_state("100"), targeting_key=_OUTSIDE).bucket is None


def _admitted(percent: str) -> set[int]:
    state = _state(percent)
    return {
        subject
        for subject in range(20_000)
        if evaluation.decide(state, targeting_key=str(subject)).is_on
    }


def test_growth_takes_from_nobody_and_halving_gives_to_nobody() -> None:
    ramp = [_admitted(percent) for percent in ("0", "1", "10", "25", "50", "75", "100")]

    assert all(fewer < more for fewer, more in itertools.pairwise(ramp))
    assert _admitted("25") < _admitted("50")


@pytest.mark.parametrize("percent", ["1", "10", "33.33", "50", "99"])
def test_as_many_get_it_as_the_percent_says(percent: str) -> None:
    share = float(percent) / 100
    deviation = (share * (1 - share) / 20_000) ** 0.5

    assert len(_admitted(percent)) / 20_000 == pytest.approx(share, abs=4 * deviation)


@pytest.mark.parametrize(
    ("percent", "threshold"),
    [("0", 0), ("0.01", 1), ("0.29", 29), ("33.33", 3333), ("99.99", 9999)],
)
def test_a_hundredth_of_a_percent_is_one_bucket(percent: str, threshold: int) -> None:
    assert _state(percent).threshold == threshold
    assert _state(percent, is_on=False).threshold == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("everyone", "percent", "expected"),
    [
        (None, "12.34", (True, Decimal("12.34"))),
        (False, "12.34", (False, Decimal("12.34"))),
        (True, "12.34", (True, Decimal(100))),
        (None, "100", (True, Decimal(100))),
    ],
)
def test_the_state_is_what_the_row_says(
    everyone: bool | None, percent: str, expected: tuple[bool, Decimal]
) -> None:
    Flag.objects.filter(name=_KEY).delete()
    Flag(name=_KEY, everyone=everyone, percent=percent, salt=_SALT).save()

    state = evaluation.state(_KEY)

    assert state is not None
    assert (state.is_on, state.percent, state.salt) == (*expected, _SALT)


@pytest.mark.django_db
def test_an_evaluation_is_one_query() -> None:
    with CaptureQueriesContext(connection) as queries:
        evaluation.evaluate(_KEY, targeting_key=_INSIDE)

    assert len(queries) == 1


@pytest.mark.django_db
def test_without_a_row_nobody_gets_it() -> None:
    Flag.objects.filter(name=_KEY).delete()

    decision = evaluation.evaluate(_KEY, targeting_key=_INSIDE, held="on")

    assert (decision.variant, decision.reason) == (Variant.OFF, Reason.ERROR)
