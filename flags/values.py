"""Typed values: read from text, held against their range, written as text."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeAlias, TypeVar, cast

from flags.errors import InvalidValue

Value: TypeAlias = bool | int | Decimal | str
T = TypeVar("T", bool, int, Decimal, str)

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,18}(\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T]):
    """What a value may be. `words` completes "… must be".

    `options` are all there are, where there are only a few.
    """

    words: str
    parse: Callable[[str], T]
    options: tuple[str, ...] = ()


def read(name: str, kind: Kind[T], raw: object) -> T:
    """Return the value that a text, a number or a boolean stands for.

    Raises: InvalidValue, naming the setting, what is expected and what was given.
    """
    text = str(raw).strip()
    try:
        return kind.parse(text)
    except ValueError as error:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise InvalidValue(f"{name} must be {kind.words}, not {shown!r}.") from error


def plain(number: Decimal) -> Decimal:
    """Return the number without idle zeros: 10 for 10.00, as text 10 and not 1E+1."""
    return Decimal(f"{number.normalize():f}")


def write(value: Value) -> str:
    """Return the text that `read` makes the same value of."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return str(plain(value))
    return str(value)


def write_all(held: Mapping[str, Value]) -> dict[str, str]:
    """Return the texts of values by name."""
    return {name: write(value) for name, value in held.items()}


def flag() -> Kind[bool]:
    """Yes or no, in the words that the environment uses."""

    def parse(text: str) -> bool:
        word = text.lower()
        if word not in _TRUE | _FALSE:
            raise ValueError
        return word in _TRUE

    return Kind(words="true or false", parse=parse)


def whole(*, minimum: int, maximum: int, unit: str) -> Kind[int]:
    """A whole number within bounds."""

    def parse(text: str) -> int:
        if not _WHOLE.fullmatch(text):
            raise ValueError
        return cast(int, _within(int(text), minimum, maximum))

    noun = f" {unit}" if unit else ""
    words = f"a whole number between {minimum:,} and {maximum:,}{noun}"
    return Kind(words=words, parse=parse)


def decimal(*, minimum: int, maximum: int, places: int) -> Kind[Decimal]:
    """A number within bounds, with at most so many decimals."""

    def parse(text: str) -> Decimal:
        if not _DECIMAL.fullmatch(text):
            raise ValueError
        value = Decimal(text) + 0  # a zero loses its sign
        if value != round(value, places):
            raise ValueError
        return cast(Decimal, _within(value, minimum, maximum))

    words = f"a number between {minimum} and {maximum}"
    return Kind(words=f"{words} with at most {places} decimals", parse=parse)


def choice(*words: str) -> Kind[str]:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return Kind(words=f"one of {', '.join(words)}", parse=parse, options=words)


def _within(value: int | Decimal, minimum: int, maximum: int) -> int | Decimal:
    if not minimum <= value <= maximum:
        raise ValueError
    return value
