"""What becomes of an alert, step by step; the clock is a number."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.alerting.transitions import (
    FIRING,
    PENDING,
    RESOLVED,
    Standing,
    Terms,
    follow,
    is_beyond,
    is_fine,
)
from monitoring.registry import Reading

BEGIN = datetime(2026, 11, 26, 12, tzinfo=UTC)
RULE = Terms(
    comparison="above",
    threshold=10,
    clear_threshold=8,
    min_samples=20,
    for_s=60,
    keep_firing_s=30,
)
NOTHING = Reading(None)


def _read(value: float, samples: int = 100) -> Reading:
    return Reading(value, samples)


def _at(second: int) -> datetime:
    return BEGIN + timedelta(seconds=second)


def _walk(terms: Terms, *steps: tuple[int, float | None]) -> Standing | None:
    """Follow readings at these seconds; None: no data."""
    held: Standing | None = None
    for second, value in steps:
        reading = NOTHING if value is None else _read(value)
        held = follow(held, [reading], terms, now=_at(second))
    return held


def _state(terms: Terms, *steps: tuple[int, float | None]) -> str | None:
    held = _walk(terms, *steps)
    return held.state if held else None


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(0, 5.0)], None),
        ([(0, 10.0)], None),  # at the threshold is not beyond it
        ([(0, 11.0)], PENDING),
        ([(0, 11.0), (59, 11.0)], PENDING),
        ([(0, 11.0), (60, 11.0)], FIRING),
        ([(0, 11.0), (30, 9.0)], None),  # it must be beyond all the time
        ([(0, 11.0), (30, 5.0), (60, 11.0), (90, 11.0)], PENDING),
        ([(0, 11.0), (60, 11.0), (90, 9.0), (500, 9.0)], FIRING),  # between the two
        ([(0, 11.0), (60, 11.0), (90, 8.0)], FIRING),
        ([(0, 11.0), (60, 11.0), (90, 8.0), (119, 8.0)], FIRING),
        ([(0, 11.0), (60, 11.0), (90, 8.0), (120, 8.0)], RESOLVED),
        ([(0, 11.0), (60, 11.0), (90, 8.0), (100, 9.0), (130, 8.0)], FIRING),
        ([(0, 11.0), (60, 11.0), (90, 8.0), (100, 11.0), (125, 8.0)], FIRING),
        ([(0, None)], None),
        ([(0, 11.0), (30, None), (600, None)], PENDING),
        ([(0, 11.0), (60, 11.0), (90, None), (9_000, None)], FIRING),
    ],
)
def test_it_goes_from_nothing_over_pending_and_firing_to_its_end(
    steps: list[tuple[int, float | None]], expected: str | None
) -> None:
    assert _state(RULE, *steps) == expected


def test_without_a_time_to_last_it_fires_and_ends_at_once() -> None:
    terms = Terms(comparison="above", threshold=10)

    fired = follow(None, [_read(11)], terms, now=_at(0))
    ended = follow(fired, [_read(10)], terms, now=_at(30))

    assert fired == Standing(state=FIRING, began_at=_at(0), fired_at=_at(0))
    assert ended is not None
    assert (ended.state, ended.resolved_at) == (RESOLVED, _at(30))


def test_below_is_above_turned_round() -> None:
    terms = Terms(comparison="below", threshold=0.5, clear_threshold=0.55)

    assert is_beyond([_read(0.49)], terms) is True
    assert is_beyond([_read(0.5)], terms) is False
    assert is_fine([_read(0.54)], terms) is False
    assert is_fine([_read(0.55)], terms) is True


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_data(value: float) -> None:
    fired = _walk(RULE, (0, 11.0), (60, 11.0))

    held = follow(fired, [_read(value)], RULE, now=_at(90))

    assert is_beyond([_read(value)], RULE) is None
    assert held is not None
    assert (held.state, held.frozen_since) == (FIRING, _at(90))


def test_too_few_samples_are_no_data() -> None:
    assert is_beyond([_read(50, samples=19)], RULE) is None
    assert is_beyond([_read(50, samples=20)], RULE) is True


@pytest.mark.parametrize(
    ("long", "short", "beyond", "fine"),
    [
        (11.0, 11.0, True, False),
        (11.0, 9.0, False, False),
        (11.0, 8.0, False, True),
        (8.0, 11.0, False, True),
        (11.0, None, None, None),
        (None, 11.0, None, None),
        (8.0, None, False, True),  # one that is fine decides, whatever the other lacks
        (None, 8.0, False, True),
        (None, None, None, None),
    ],
)
def test_of_two_windows_both_must_be_beyond_and_one_suffices_to_be_fine(
    long: float | None, short: float | None, beyond: bool | None, fine: bool | None
) -> None:
    readings = [None if value is None else _read(value) for value in (long, short)]

    assert is_beyond(readings, RULE) is beyond
    assert is_fine(readings, RULE) is fine


def test_the_short_window_needs_no_number_of_samples() -> None:
    assert is_beyond([_read(11), _read(11, samples=1)], RULE) is True


def test_a_firing_alert_without_data_says_since_when_and_does_not_end() -> None:
    frozen = _walk(RULE, (0, 11.0), (60, 11.0), (90, None), (120, None))

    assert frozen is not None
    assert (frozen.state, frozen.frozen_since) == (FIRING, _at(90))
    thawed = follow(frozen, [_read(11)], RULE, now=_at(150))
    assert thawed is not None
    assert (thawed.state, thawed.frozen_since) == (FIRING, None)


def test_time_without_data_does_not_count_for_firing() -> None:
    steps = [(0, 11.0), (20, None), (500, 11.0)]

    assert _state(RULE, *steps, (539, 11.0)) == PENDING
    assert _state(RULE, *steps, (540, 11.0)) == FIRING


def test_time_without_data_does_not_count_for_being_fine() -> None:
    steps = [(0, 11.0), (60, 11.0), (90, 8.0), (100, None), (500, 8.0)]

    assert _state(RULE, *steps, (519, 8.0)) == FIRING
    assert _state(RULE, *steps, (520, 8.0)) == RESOLVED


def test_a_clock_set_back_makes_a_pending_one_count_anew() -> None:
    steps = [(3600, 11.0), (0, 11.0)]

    assert _state(RULE, *steps, (59, 11.0)) == PENDING
    assert _state(RULE, *steps, (60, 11.0)) == FIRING


def test_a_clock_set_back_ends_nothing_early() -> None:
    steps = [(3600, 11.0), (3660, 11.0), (3690, 8.0), (0, 8.0)]

    assert _state(RULE, *steps, (29, 8.0)) == FIRING
    ended = _walk(RULE, *steps, (30, 8.0))
    assert ended is not None
    assert ended.state == RESOLVED
    assert ended.fired_at is not None
    assert ended.resolved_at is not None
    assert ended.resolved_at >= ended.fired_at


def test_a_clock_set_back_while_frozen_counts_no_time() -> None:
    held = _walk(RULE, (3600, 11.0), (3620, None), (0, None), (10, 11.0))

    assert held is not None
    assert (held.state, held.began_at) == (PENDING, _at(10))
