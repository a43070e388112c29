"""Which turns an operator wants to see: read from an address, found by an index.

Never the words that were said; only the turns' own figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from chat.models import Generation
from flags.evaluation import Variant
from monitoring.drilldown import TurnsWanted

PAGE_SIZE = 50
MAX_SPAN = timedelta(days=31)
_DEFAULT_SPAN = timedelta(hours=1)
_YEARS = range(2000, 2200)
_LONGEST_CODE = 40
CHOICES = {
    "variant": [*Variant],
    "status": [*Generation.Status.values],
    "outcome": [*Generation.SessionOutcome.values],
}


class BadWish(ValueError):
    """A parameter that can't be used; its text says why, and what can."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of turns, the newest first; `next_address` is "" on the last one."""

    turns: list[Generation]
    next_address: str


def address(wanted: TurnsWanted) -> str:
    """Return where these turns are listed."""
    slower = wanted.slower_than_ms
    given = {
        "from": _text(wanted.begin),
        "to": _text(wanted.end),
        "variant": wanted.variant,
        "status": wanted.status,
        "error": wanted.error_code,
        "outcome": wanted.session_outcome,
        "slower_than_ms": "" if slower is None else f"{slower:.10g}",
    }
    chosen = {name: value for name, value in given.items() if value}
    return f"{reverse('admin:chat_turns')}?{urlencode(chosen)}"


def wanted(given: Mapping[str, str], now: datetime) -> TurnsWanted:
    """Read what an address asks for; the last hour, where it names no time.

    Raises: BadWish.
    """
    end = _moment(given, "to") or now
    begin = _moment(given, "from") or end - _DEFAULT_SPAN
    if not begin < end:
        raise BadWish("The first time must be before the second one.")
    if end - begin > MAX_SPAN:
        raise BadWish(
            f"Choose {MAX_SPAN.days} days at most, so that the list is quick."
        )
    return TurnsWanted(
        begin=begin,
        end=end,
        variant=_choice(given, "variant"),
        status=_choice(given, "status"),
        error_code=_code(given.get("error", "")),
        session_outcome=_choice(given, "outcome"),
        slower_than_ms=_number(given, "slower_than_ms"),
    )


def listed(what: TurnsWanted, given: Mapping[str, str]) -> Listed:
    """Return a page of them. Raises: BadWish.

    It goes on behind the turn that the page before ended with, and counts nothing.
    """
    turns = _found(what)
    if given.get("after"):
        turns = turns.filter(_behind(given))
    rows = list(turns.order_by("-created_at", "-id")[: PAGE_SIZE + 1])
    if len(rows) <= PAGE_SIZE:
        return Listed(rows, "")
    last = rows[PAGE_SIZE - 1]
    after = urlencode({"after": f"{_text(last.created_at)},{last.pk}"})
    return Listed(rows[:PAGE_SIZE], f"{address(what)}&{after}")


def _found(what: TurnsWanted) -> "QuerySet[Generation]":
    turns = Generation.objects.filter(
        created_at__gte=what.begin, created_at__lt=what.end, ended_at__isnull=False
    )
    exact = {
        "variant": what.variant,
        "status": what.status,
        "error_code": what.error_code,
        "session_outcome": what.session_outcome,
    }
    turns = turns.filter(**{name: value for name, value in exact.items() if value})
    if what.slower_than_ms is not None:
        turns = turns.filter(duration_ms__gt=what.slower_than_ms)
    return turns.defer("error_detail")


def _behind(given: Mapping[str, str]) -> Q:
    at, _, number = given["after"].partition(",")
    moment = _moment({"after": at}, "after")
    if moment is None or not number.isdecimal() or len(number) > 18:
        raise BadWish(
            "The address of this page is not whole; begin with the first one."
        )
    same = Q(created_at=moment, id__lt=int(number))
    return Q(created_at__lt=moment) | same


def _moment(given: Mapping[str, str], name: str) -> datetime | None:
    text = given.get(name, "")
    if not text:
        return None
    try:
        moment = parse_datetime(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.year not in _YEARS:
        raise BadWish(f"“{text}” is no time; write it like 2026-11-26T14:05 (UTC).")
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)


def _choice(given: Mapping[str, str], name: str) -> str:
    value, known = given.get(name, ""), CHOICES[name]
    if value and value not in known:
        raise BadWish(f"“{value}” is no {name}; there are {', '.join(known)}.")
    return value


def _code(text: str) -> str:
    if not text.isprintable() or len(text) > _LONGEST_CODE:
        raise BadWish("An error code has 40 letters at most, like GEMINI_TIMEOUT.")
    return text


def _number(given: Mapping[str, str], name: str) -> float | None:
    text = given.get(name, "")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not isfinite(number) or number < 0:
        raise BadWish(
            f"“{text}” is no time in ms; write a number from 0 on, like 3000."
        )
    return number


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
