"""Values and changes of them in an operator's words."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flags import runtime, values
from flags.changes import Difference
from flags.conf import PERCENT, USE
from flags.errors import FlagsError
from flags.runtime import Setting
from flags.values import Value

_SPANS_S = {"day": 86_400, "hour": 3600, "minute": 60}
_SPACE = "\u00a0"  # keeps a number and its unit on one line


def label(name: str) -> str:
    """Return a setting's name as a person would write it."""
    return name.replace("_", " ").capitalize()


def value(setting: Setting[Any], held: Value) -> str:
    """Return a value with its unit."""
    if isinstance(held, bool):
        return "on" if held else "off"
    number = f"{held:,}" if isinstance(held, int) else values.write(held)
    words = f"{number}{_SPACE}{setting.unit}".rstrip()
    return words + _span(held) if setting.unit == "seconds" else words


def text(name: str, raw: str) -> str:
    """Return a stored text as a value with its unit; as it is where it is none."""
    try:
        setting = runtime.find(name)
        return value(setting, setting.parse(raw))
    except FlagsError:
        return raw or "no value"


def share(ratio: float) -> str:
    """Return a ratio (0 to 1) as percent with one decimal at most."""
    return f"{ratio * 100:.1f}".removesuffix(".0") + f"{_SPACE}%"


def effects(
    differences: Sequence[Difference], current: Mapping[str, Value]
) -> list[str]:
    """Say what these changes would mean for conversations, a sentence each.

    `current` are all values before them.
    """
    after = dict(current) | {each.name: each.new for each in differences}
    names = {each.name for each in differences}
    sentences = []
    if names & {USE.name, PERCENT.name}:
        sentences.append(_rollout(current, after))
    if names - {USE.name, PERCENT.name}:
        sentences.append("Every process works by the new values within two seconds.")
    return sentences


def _rollout(before: Mapping[str, Value], after: Mapping[str, Value]) -> str:
    was, will = _given(before), _given(after)
    if not after[USE.name]:
        return (
            "All conversations: each one is back to stateless at its next turn."
            if before[USE.name]
            else "Nobody yet: it is off, and the percent counts once it is on."
        )
    if will == 0:
        return (
            "Nobody gets them: every conversation is back to stateless at its next "
            "turn."
            if was
            else "Nobody gets them while the percent is 0."
        )
    return _between(was, will)


def _between(was: Decimal, will: Decimal) -> str:
    if will == 100:
        return "All conversations get them, those that run already at their next turn."
    percent = value(PERCENT, will)
    if will > was:
        return (
            f"New conversations only: about {percent} of those that begin from now on. "
            f"Those that run without stay stateless until it is "
            f"{value(PERCENT, Decimal(100))}."
        )
    if will < was:
        return (
            f"Conversations above {percent} go back to stateless at their next turn; "
            f"the others keep their session."
        )
    return "Nobody's part changes."


def _given(held: Mapping[str, Value]) -> Decimal:
    """Return the percent that has an effect: 0 while it is off."""
    return Decimal(held[PERCENT.name]) if held[USE.name] else Decimal(0)


def _span(seconds: Value) -> str:
    """Return ` (2 hours)` for 7200; nothing where no unit fits without a rest."""
    for unit, length in _SPANS_S.items():
        count, rest = divmod(int(seconds), length)
        if count and not rest:
            return f" ({count}{_SPACE}{unit}{'s' if count > 1 else ''})"
    return ""
