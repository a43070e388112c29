"""What is sent, whichever way it goes, and how it can fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class NotSent(Exception):
    """It did not arrive; the message says why, without addresses or secrets.

    `left`: the mail addresses that it is still for, where others have got it.
    """

    def __init__(self, why: str, *, left: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.left = left


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be told, before it is known to whom."""

    severity: str
    subject: str
    text: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """For people a subject and a text, for programs the payload.

    `id` stays the same over all tries, so that a receiver can tell a second copy.
    """

    id: str
    severity: str
    subject: str
    text: str
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def replaces(self) -> set[str]:
        """Return the settings that it can do without: it says itself for whom it is."""
        return {"ALERT_EMAIL_TO"} if self.payload.get("to") else set()
