"""How a floor says its word."""

from collections.abc import Mapping

from flags.plans import Action
from flags.readings import Kind, Reading, Verdict


def floor(
    key: str,
    verdict: Verdict,
    sentence: str,
    *,
    action: Action = Action.HOLD,
    numbers: Mapping[str, float | None] | None = None,
) -> Reading:
    """Return a floor's reading; one that only stands still asks for HOLD."""
    return Reading(
        key=key,
        kind=Kind.FLOOR,
        verdict=verdict,
        sentence=sentence,
        action=action,
        numbers=numbers or {},
    )
