"""From a figure to the turns that it is of."""

from dataclasses import dataclass, replace
from datetime import datetime

from monitoring import drilldown
from monitoring.dashboard.ranges import Window
from monitoring.drilldown import TurnsWanted


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead somewhere."""

    words: str
    address: str


class Links:
    """Addresses of lists of turns; none for whoever may not see them."""

    def __init__(self, window: Window, *, may_see_turns: bool) -> None:
        page = drilldown.page()
        self._address = page.address if page and may_see_turns else None
        self._whole = TurnsWanted(begin=window.begin, end=window.end)

    def turns(self, **wanted: datetime | str | float) -> str:
        """Return the address of the turns that are wanted; "": there is none."""
        if self._address is None:
            return ""
        return self._address(replace(self._whole, **wanted))  # type: ignore[arg-type]

    def to(self, words: str, **wanted: str | float) -> list[Link]:
        """Return a link, or none where there is nothing to lead to."""
        address = self.turns(**wanted)
        return [Link(words, address)] if address else []
