"""Decides whether and when a failed call to the model is made once more."""

import random

from chat import errors

_FIRST_BACKOFF_S = 0.5
_TOLD_WAIT_JITTER_RATIO = 0.1


def wait_s(
    error: errors.GeminiError, *, retries: int, max_retries: int, budget_s: float
) -> float | None:
    """Return the seconds to wait before the next try; None: give up.

    `retries` have been made before; `budget_s` is the time left for waiting and
    answering. The error's `retry_after_s` is never shortened, only lengthened
    by up to a tenth, so that many waiters don't come back at one instant; otherwise it
    is a random part (at least half) of a backoff that doubles.
    """
    if not error.is_transient or retries >= max_retries:
        return None
    if error.retry_after_s is not None:
        wait = error.retry_after_s * random.uniform(1.0, 1.0 + _TOLD_WAIT_JITTER_RATIO)  # noqa: S311
    else:
        wait = _FIRST_BACKOFF_S * 2**retries * random.uniform(0.5, 1.0)  # noqa: S311
    return wait if wait < budget_s else None
