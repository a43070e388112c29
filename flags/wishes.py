"""What an operator asks for, on its way from form to confirmation.

It travels through the page, signed, so what was previewed is what is applied.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.core import signing
from django.core.exceptions import SuspiciousOperation

from flags import values
from flags.values import Value

_WISH = "flags.wish"
_SEEN = "flags.seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Values by name, as text: wanted ones, and those the operator decided by.

    `origin` is the page that Back leads to. `reverts` is the change to undo.
    """

    wanted: dict[str, str]
    seen: dict[str, str]
    origin: str
    reverts: int | None = None

    def sign(self) -> str:
        """Return it as a text for a hidden field."""
        return signing.dumps(asdict(self), salt=_WISH, compress=True)


def read(signed: str) -> Wish:
    """Return the wish that was signed. Raises: SuspiciousOperation."""
    return Wish(**_loads(signed, salt=_WISH))


def sign_seen(current: Mapping[str, Value]) -> str:
    """Return the values that a page shows, as a text for a hidden field."""
    return signing.dumps(values.write_all(current), salt=_SEEN, compress=True)


def read_seen(signed: str) -> dict[str, str]:
    """Return the values that a page showed. Raises: SuspiciousOperation."""
    return _loads(signed, salt=_SEEN)


def _loads(signed: str, *, salt: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = signing.loads(signed, salt=salt)
    except signing.BadSignature as error:
        raise SuspiciousOperation("A form's hidden field was altered.") from error
    return found
