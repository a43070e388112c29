"""How long a streamed answer may take: to begin, between two chunks, and in all."""

from dataclasses import dataclass

from chat import errors

_DETAILS = {
    "first_text_deadline": "The model did not begin to answer in time. Try again.",
    "idle_deadline": "The model fell silent in the middle of its answer. "
    "What arrived is kept; retry or continue it.",
    "total_deadline": "The answer took too long and was ended. "
    "What arrived is kept; retry or continue it.",
}

# After the finish reason only the connection's end is missing.
END_GRACE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Points in time of one clock, in seconds.

    The first text is the first text or thought. Whatever arrives counts as life between
    two chunks, but nothing extends the total.
    """

    first_text_at: float
    total_at: float
    idle_s: float

    def next(
        self, now: float, *, has_begun: bool, has_ended: bool
    ) -> tuple[float, str]:
        """Return when to stop waiting for the next chunk, and the deadline's name."""
        if has_ended:
            return now + END_GRACE_S, "end"
        if has_begun:
            nearest = (now + self.idle_s, "idle_deadline")
        else:
            nearest = (self.first_text_at, "first_text_deadline")
        return min(nearest, (self.total_at, "total_deadline"))


def missed(deadline: str) -> errors.GeminiTimeout:
    """Return the error for a deadline's name."""
    return errors.GeminiTimeout(_DETAILS.get(deadline), reason=deadline)
