"""What a gate said at one tick: a verdict, its numbers, and one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from flags.plans import Action


class Kind(StrEnum):
    """What a gate is for, in the order in which they are asked."""

    FLOOR = "floor"
    HARM = "harm"
    INTEGRITY = "integrity"
    SUCCESS = "success"


class Verdict(StrEnum):
    """What a gate found. Missing data neither passes nor fails."""

    PASS = "pass"  # noqa: S105 - a word, no password
    FAIL = "fail"
    NOT_YET = "not_yet"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A gate's word. `numbers` are what it was judged by, with their units in names.

    `needed_count` is about how many more conversations it takes to tell, `needed_s`
    how long that takes at the traffic of now; None: it can't be said, or need not be.
    """

    key: str
    kind: Kind
    verdict: Verdict
    sentence: str
    action: Action = Action.HOLD
    is_required: bool = True
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    needed_count: int | None = None
    needed_s: float | None = None

    @property
    def is_firing(self) -> bool:
        """Whether it asks for more than staying where we are."""
        return self.verdict is Verdict.FAIL and self.action is not Action.HOLD

    def as_json(self) -> dict[str, Any]:
        """Return it for a decision's record."""
        return {
            "key": self.key,
            "kind": self.kind.value,
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "action": self.action.value,
            "is_required": self.is_required,
            "numbers": dict(self.numbers),
            "needed_count": self.needed_count,
            "needed_s": self.needed_s,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read what `as_json` returned. Raises: TypeError, ValueError, KeyError."""
        words = {
            "kind": Kind(kept["kind"]),
            "verdict": Verdict(kept["verdict"]),
            "action": Action(kept["action"]),
        }
        return cls(**dict(kept) | words)
