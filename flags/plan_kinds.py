"""Whether everything in a plan is of the right kind: files can say anything."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

MOST = 50
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


def faults(plan: Any, place: str = "") -> Iterator[str]:
    """Yield what is of another kind than its dataclass says, a sentence each."""
    for each in fields(plan):
        yield from _of(f"{place}{each.name}", each.type, getattr(plan, each.name))


def _of(place: str, kind: Any, value: Any) -> Iterator[str]:
    if kind not in _WORDS and isinstance(value, tuple):
        yield from _of_many(place, value)
    elif kind not in _WORDS and isinstance(value, Mapping):
        for key, one in value.items():
            yield from _of(f"{place}.{key}", float, one)
    elif not _is_right(kind, value):
        yield f"{place} is {value!r:.60}: {_WORDS.get(kind, 'another kind')} is needed."


def _of_many(place: str, values: Sequence[Any]) -> Iterator[str]:
    if len(values) > MOST:
        yield f"{place} are {len(values):,}: {MOST} at most are possible."
        return
    for number, one in enumerate(values, start=1):
        if is_dataclass(one):
            yield from faults(one, f"{place} {number}: ")
        else:
            yield from _of(f"{place} {number}", float, one)


_WORDS = {
    int: "a whole number",
    float: "a number",
    Decimal: "a number with two decimals at most",
    bool: "true or false",
    str: "a word of letters, digits, - and _, 64 at most",
}


def _is_right(kind: Any, value: Any) -> bool:
    if isinstance(value, Enum):
        return True
    if kind is str:
        return isinstance(value, str) and bool(_NAME.fullmatch(value))
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind is Decimal:
        # A percent: there are 10,000 buckets.
        is_number = isinstance(value, Decimal) and value.is_finite()
        return is_number and abs(value) < 1 << 31 and value == round(value, 2)
    if kind is int:
        return isinstance(value, int) and abs(value) < 1 << 31
    return isinstance(value, int | float) and math.isfinite(value)
