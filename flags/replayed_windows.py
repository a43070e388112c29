"""A rollout's windows in the order in which its ticks learnt them."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from flags import windows
from flags.models import Rollout
from flags.observations import ArmCounts
from flags.windows import Pair

_CHUNK = 2000
_COLUMNS = (
    *("id", "begin", "end", "variant", "phase_index", "percent"),
    *(each.name for each in fields(ArmCounts)),
)


class Course:
    """Hands out each stretch of windows once, as the log says that it was learnt."""

    def __init__(self, rollout: Rollout) -> None:
        self._rows = _rows(rollout)
        self._next: Any = next(self._rows, None)

    def learnt(self, stretch: Sequence[Any]) -> list[Pair]:
        """Return a tick's windows, `inputs["learnt"]`: until when, and the last row."""
        if not stretch:
            return []
        until, last_id = stretch
        end, found = datetime.fromisoformat(until), []
        while self._next is not None and self._next.begin < end:
            # What came later corrected what had been learnt by then.
            if self._next.id <= last_id:
                found.append(self._next)
            self._next = next(self._rows, None)
        return windows.paired(found)


def every(rollout: Rollout) -> Iterator[Pair]:
    """Yield all windows with their corrections, oldest first."""
    for _, rows in groupby(_rows(rollout), key=attrgetter("begin")):
        yield from windows.paired(rows)


def _rows(rollout: Rollout) -> Iterator[Any]:
    rows = rollout.windows.order_by("begin", "id")
    return rows.values_list(*_COLUMNS, named=True).iterator(chunk_size=_CHUNK)
