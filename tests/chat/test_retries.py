"""When a failed call is made once more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import errors, retries

BUDGET_S = 30.0


def wait_s(
    error: errors.GeminiError, tries: int = 0, budget_s: float = BUDGET_S
) -> float | None:
    return retries.wait_s(error, retries=tries, max_retries=2, budget_s=budget_s)


@pytest.mark.parametrize(
    "error",
    [
        errors.GeminiRefused(),
        errors.GeminiRejected(),
        errors.GeminiTimeout(),
        errors.ResponseBlocked(),
        errors.EmptyAnswer(),
        errors.AnswerCutShort(),
        errors.CircuitOpen(),
        errors.GeminiError(),
    ],
)
def test_what_would_fail_again_is_not_tried_again(error: errors.GeminiError) -> None:
    assert wait_s(error) is None


def test_the_tries_are_counted() -> None:
    assert wait_s(errors.GeminiUnavailable(), tries=1) is not None
    assert wait_s(errors.GeminiUnavailable(), tries=2) is None


@given(st.integers(0, 1))
def test_the_backoff_doubles_and_is_spread(tries: int) -> None:
    wait = wait_s(errors.GeminiUnavailable(), tries)

    assert wait is not None
    assert 0.25 * 2**tries <= wait <= 0.5 * 2**tries


@given(st.floats(0, 25))
def test_a_told_wait_is_never_shortened(told_s: float) -> None:
    wait = wait_s(errors.GeminiBusy(retry_after_s=told_s))

    assert wait is not None
    assert told_s <= wait <= told_s * 1.1 + 1e-9


def test_a_server_error_may_tell_its_wait_too() -> None:
    wait = wait_s(errors.GeminiUnavailable(retry_after_s=9.0))

    assert wait is not None
    assert wait >= 9.0


def test_a_wait_that_leaves_no_time_to_answer_is_not_begun() -> None:
    assert wait_s(errors.GeminiBusy(retry_after_s=7.0), budget_s=7.0) is None
    assert wait_s(errors.GeminiUnavailable(), budget_s=0.0) is None
