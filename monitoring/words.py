"""What people write of alerts and incidents, made safe to store and to show."""

import re
from collections.abc import Iterable

from monitoring.errors import InvalidWords
from monitoring.models import Severity

MAX_LINE = 200
MAX_TEXT = 10_000
MAX_NAME = 150
# What a database can't store, and what would steer the terminal of who reads it.
_NO_WORDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def text(raw: str, *, what: str, is_needed: bool = True) -> str:
    """Return a text of several lines. Raises: InvalidWords, which names `what`."""
    given = raw.replace("\r\n", "\n").replace("\r", "\n")
    return _bounded(given, what=what, most=MAX_TEXT, is_needed=is_needed)


def line(raw: str, *, what: str, is_needed: bool = True, most: int = MAX_LINE) -> str:
    """Return a text of one line. Raises: InvalidWords, which names `what`."""
    return _bounded(" ".join(raw.split()), what=what, most=most, is_needed=is_needed)


def severity(raw: str) -> str:
    """Return a severity. Raises: InvalidWords."""
    if raw not in Severity.values:
        raise InvalidWords(
            f"There is no severity {raw!r}: expected {listed(Severity.values)}."
        )
    return raw


def listed(names: Iterable[str]) -> str:
    """Return names in a row, as an error says what it expected."""
    return ", ".join(str(name) for name in names)


def cut(raw: str, *, most: int) -> str:
    """Return as much as fits, on one line; an ellipsis tells that some is missing."""
    whole = _NO_WORDS.sub("", " ".join(raw.split()))
    return whole if len(whole) <= most else f"{whole[: most - 1]}…"


def _bounded(raw: str, *, what: str, most: int, is_needed: bool) -> str:
    words = _NO_WORDS.sub("", raw).strip()
    if is_needed and not words:
        raise InvalidWords(f"The {what} is empty: write what others need to know.")
    if len(words) > most:
        raise InvalidWords(
            f"The {what} has {len(words):,} characters: at most {most:,} are kept."
        )
    return words
