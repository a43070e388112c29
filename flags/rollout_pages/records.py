"""What was decided: filtered, paged by number, exported, and held against its chain."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import QuerySet

from flags import decisions
from flags.models import Decision, Rollout
from flags.rollout_pages import words

PER_PAGE = 50
_CHUNK = 200
_FIELDS = (
    *("number", "at", "action", "actor", "channel", "reason", "sentence"),
    *("state_before", "state_after", "percent_before", "percent_after"),
    *("phase_index", "release", "previous_hash", "hash"),
)
_HEAVY = ("inputs", "readings")
# Some spreadsheets take the wide forms for the narrow ones.
_BEGIN_FORMULAS = frozenset("=+-@\t\r\n＝＋－＠")
SHOWN = {"all": "All", "changes": "Only those that changed something"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of decisions, the newest first. None: there is no such page."""

    rows: Sequence[tuple[Decision, str]]
    count: int
    newer: int | None
    older: int | None


def page(rollout: Rollout, *, show: str, by: str, before: int | None) -> Listed:
    """Return decisions below a number, or the newest; without inputs and readings."""
    found = _filtered(rollout, show=show, by=by)
    below = found.filter(number__lt=before) if before else found
    rows = list(below.defer(*_HEAVY).order_by("-number")[: PER_PAGE + 1])
    has_older, rows = len(rows) > PER_PAGE, rows[:PER_PAGE]
    above = []
    if rows and before:
        later = found.filter(number__gt=rows[0].number).order_by("number")
        above = list(later.values_list("number", flat=True)[:PER_PAGE])
    return Listed(
        rows=[(each, words.action(each.action)) for each in rows],
        count=found.count(),
        newer=above[-1] + 1 if above else None,
        older=rows[-1].number if has_older else None,
    )


def people(rollout: Rollout) -> list[str]:
    """Return who has decided something, by name."""
    names = rollout.decisions.order_by("actor").values_list("actor", flat=True)
    return list(names.distinct())


def check(rollout: Rollout) -> tuple[int, list[str]]:
    """Hold every decision against its hash; return how many, and what is wrong."""
    return rollout.decisions.count(), list(decisions.verify(rollout))


async def as_json(rollout: Rollout) -> AsyncIterator[str]:
    """Yield all as a JSON list, with inputs and the readings that were kept."""
    separator = "[\n"
    async for row in _rows(rollout, (*_FIELDS, *_HEAVY)):
        yield separator + json.dumps(row, default=str, ensure_ascii=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


async def as_csv(rollout: Rollout) -> AsyncIterator[str]:
    """Yield all decisions as CSV, without inputs and readings."""
    yield _line(_FIELDS)
    async for row in _rows(rollout, _FIELDS):
        yield _line([_cell(row[name]) for name in _FIELDS])


async def _rows(
    rollout: Rollout, fields: Sequence[str]
) -> AsyncIterator[dict[str, Any]]:
    """Yield the oldest first, some at a time: a long log must hold up nobody."""
    number = 0
    read: Callable[[int], Any] = sync_to_async(
        lambda last: list(_after(rollout, last, fields))
    )
    while rows := await read(number):
        for row in rows:
            yield row
        number = rows[-1]["number"]


def _after(
    rollout: Rollout, number: int, fields: Sequence[str]
) -> Iterator[dict[str, Any]]:
    later = rollout.decisions.filter(number__gt=number).order_by("number")
    yield from later.values(*fields)[:_CHUNK]


def _filtered(rollout: Rollout, *, show: str, by: str) -> "QuerySet[Decision]":
    found = rollout.decisions.all()
    if show == "changes":
        found = found.filter(action__in=words.MOVED)
    if by:
        found = found.filter(actor=by.replace("\x00", ""))  # PostgreSQL refuses it
    return found


def _cell(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in _BEGIN_FORMULAS else text


def _line(cells: Sequence[object]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
