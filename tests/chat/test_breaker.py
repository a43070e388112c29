"""The circuit breaker, with a clock that the test turns."""

import pytest

from chat import errors
from chat.breaker import PROBE_RETRY_AFTER_S, Breaker


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, open_s=10.0, clock=clock)


def fail(breaker: Breaker, error: errors.GeminiError) -> None:
    with pytest.raises(type(error)), breaker.passage():
        raise error


def fail_times(breaker: Breaker, count: int) -> None:
    for _ in range(count):
        fail(breaker, errors.GeminiUnavailable())


def state(breaker: Breaker) -> str:
    return breaker.state


def succeed(breaker: Breaker) -> None:
    with breaker.passage() as upstream_works:
        upstream_works()


def test_it_stays_closed_below_its_limit(breaker: Breaker) -> None:
    fail_times(breaker, 2)

    assert state(breaker) == "closed"


def test_outages_in_a_row_open_it(breaker: Breaker) -> None:
    fail_times(breaker, 3)

    assert state(breaker) == "open"


def test_a_success_between_them_starts_the_count_again(breaker: Breaker) -> None:
    fail_times(breaker, 2)
    succeed(breaker)
    fail_times(breaker, 2)

    assert state(breaker) == "closed"


@pytest.mark.parametrize(
    "error",
    [errors.GeminiBusy(), errors.GeminiRefused(), errors.EmptyAnswer()],
)
def test_a_refusal_shows_a_working_upstream(
    breaker: Breaker, error: errors.GeminiError
) -> None:
    fail_times(breaker, 2)
    fail(breaker, error)
    fail_times(breaker, 2)

    assert state(breaker) == "closed"


def test_while_open_nothing_passes_and_the_rest_is_told(
    breaker: Breaker, clock: Clock
) -> None:
    fail_times(breaker, 3)
    clock.now_s += 4.0

    with pytest.raises(errors.CircuitOpen) as raised, breaker.passage():
        pytest.fail("It let a call pass.")

    assert raised.value.retry_after_s == pytest.approx(6.0)


def test_after_its_rest_one_probe_passes_at_a_time(
    breaker: Breaker, clock: Clock
) -> None:
    fail_times(breaker, 3)
    clock.now_s += 10.0
    assert state(breaker) == "half_open"

    with (
        breaker.passage(),
        pytest.raises(errors.CircuitOpen) as raised,
        breaker.passage(),
    ):
        pytest.fail("It let a second probe pass.")

    assert raised.value.retry_after_s == PROBE_RETRY_AFTER_S


def test_a_good_probe_closes_it_before_its_answer_has_ended(
    breaker: Breaker, clock: Clock
) -> None:
    fail_times(breaker, 3)
    clock.now_s += 10.0

    with breaker.passage() as upstream_works:
        upstream_works()
        assert state(breaker) == "closed"
        succeed(breaker)


def test_a_bad_probe_opens_it_for_another_rest(breaker: Breaker, clock: Clock) -> None:
    fail_times(breaker, 3)
    clock.now_s += 10.0

    fail_times(breaker, 1)

    assert state(breaker) == "open"
    clock.now_s += 10.0
    succeed(breaker)
    assert state(breaker) == "closed"


def test_a_cancelled_probe_decides_nothing_and_makes_room(
    breaker: Breaker, clock: Clock
) -> None:
    fail_times(breaker, 3)
    clock.now_s += 10.0

    with pytest.raises(KeyboardInterrupt), breaker.passage():
        raise KeyboardInterrupt

    assert state(breaker) == "half_open"
    succeed(breaker)
    assert state(breaker) == "closed"


def test_late_failures_do_not_lengthen_the_rest(breaker: Breaker, clock: Clock) -> None:
    late = breaker.passage()
    late.__enter__()
    fail_times(breaker, 3)
    clock.now_s += 9.0
    error = errors.GeminiUnavailable()

    assert not late.__exit__(type(error), error, None)
    clock.now_s += 1.0

    assert state(breaker) == "half_open"
