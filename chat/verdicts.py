"""What the way in which a model ended makes of its answer."""

from dataclasses import dataclass

from chat.completion import Completion
from chat.errors import ChatError, ResponseBlocked
from chat.models import Generation

_GOOD_FINISH = "STOP"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the reading of the model ended."""

    status: Generation.Status
    finish_reason: str = ""
    completion: Completion | None = None
    error: ChatError | None = None

    @property
    def is_good(self) -> bool:
        """Whether the answer is whole."""
        return self.status == Generation.Status.COMPLETE


def on_completion(completion: Completion | None) -> Verdict:
    """Only a known good finish may say complete; None: the answer grew too long."""
    if completion is None:
        return Verdict(Generation.Status.INTERRUPTED, "MAX_ANSWER_CHARS")
    is_good = completion.finish_reason == _GOOD_FINISH
    status = Generation.Status.COMPLETE if is_good else Generation.Status.INTERRUPTED
    return Verdict(status, completion.finish_reason, completion)


def on_error(error: ChatError, *, has_text: bool) -> Verdict:
    """Text that came before the error is kept, so the answer can be continued."""
    status = Generation.Status.FAILED
    if isinstance(error, ResponseBlocked):
        status = Generation.Status.BLOCKED
    elif has_text:
        status = Generation.Status.INTERRUPTED
    return Verdict(status, getattr(error, "finish_reason", ""), error=error)
