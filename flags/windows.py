"""What was counted of a rollout, by window: added once, corrected by addition."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isclose
from operator import attrgetter

from django.db import transaction
from django.db.models import Sum

from flags import observations
from flags.evaluation import Variant
from flags.observations import ArmCounts
from flags.plans import Plan
from flags.rollout_models import Rollout, Window

# A turn is committed a moment after the time that it says it ended at.
SETTLE = timedelta(seconds=5)
MAX_WINDOWS = 120  # in a call
CORRECTED_WINDOWS = 20
_AT_ONCE = 30  # read and stored together: of a minute each, half an hour

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = tuple(each.name for each in fields(ArmCounts))
_values = attrgetter(*_NAMES)

Counts = Mapping[str, ArmCounts]


@dataclass(frozen=True, slots=True)
class Pair:
    """A window with all that is known of it by now, corrections included.

    `phase_index` and `percent` are those at its begin.
    """

    begin: datetime
    end: datetime
    phase_index: int
    percent: Decimal
    arms: Counts

    @property
    def treatment(self) -> ArmCounts:
        """The arm with the feature."""
        return self.arms[Variant.ON]

    @property
    def control(self) -> ArmCounts:
        """The arm without."""
        return self.arms[Variant.OFF]


def ingest(rollout: Rollout, now: datetime) -> list[Window]:
    """Count the windows that ended since the last call; return what was added.

    Both arms have a row of each window, oldest first. At most `MAX_WINDOWS` are counted
    in a call; `counted_until`, which is brought up to date here, says how far that is.
    Safe to run anywhere at any time: rows are stored in the transaction that moves
    `counted_until`, and who finds it moved by somebody else adds nothing.
    """
    rollout.refresh_from_db(fields=["counted_until"])
    plan = Plan.of(rollout.plan.body)
    step = timedelta(seconds=plan.window_s)
    begin = _ceiling(rollout.counted_until or rollout.starts_at, step)
    last = min(_floor(now - SETTLE, step), begin + MAX_WINDOWS * step)
    added: list[Window] = []
    while begin < last:
        end = min(last, begin + _AT_ONCE * step)
        counts = _counted(rollout, plan, begin, end)
        stored = _store(rollout, begin, end, counts=counts)
        added += stored
        if not stored:
            break
        begin = end
    return added


def correct(rollout: Rollout, now: datetime) -> list[Window]:
    """Count the newest windows again; add what was not there the first time.

    Facts come late when a commit took longer than `SETTLE`. A first event of the day
    may so move to an earlier window, which takes it from the later one. Where there is
    less than before, a conversation was deleted: it happened all the same, and stays.
    Safe to run anywhere at any time; cheap enough for every few minutes.
    """
    plan = Plan.of(rollout.plan.body)
    step = timedelta(seconds=plan.window_s)
    since = _floor(now, step) - CORRECTED_WINDOWS * step
    stored = _stored(rollout, since)
    if not stored:
        return []
    begin, end = stored[0].begin, max(each.end for each in stored)
    fresh = _rows(rollout, begin, end, counts=_counted(rollout, plan, begin, end))
    found = list(_corrections(stored, fresh))
    if not found:
        return []
    with transaction.atomic():
        # Another corrector may have been here since we read: then its word counts.
        Rollout.objects.select_for_update().get(pk=rollout.pk)
        if len(_stored(rollout, since)) != len(stored):
            return []
        return Window.objects.bulk_create(found)


def paired(windows: Iterable[Window]) -> list[Pair]:
    """Put the rows of each window together, corrections added in; oldest first.

    An arm that has no row among them counts nothing.
    """
    by_begin: dict[datetime, list[Window]] = defaultdict(list)
    for window in windows:
        by_begin[window.begin].append(window)
    return [
        Pair(
            begin=begin,
            end=rows[0].end,
            phase_index=rows[0].phase_index,
            percent=rows[0].percent,
            arms={
                variant.value: _sum(row for row in rows if row.variant == variant)
                for variant in Variant
            },
        )
        for begin, rows in sorted(by_begin.items())
    ]


def totals(rollout: Rollout, begin: datetime, end: datetime, variant: str) -> ArmCounts:
    """Add up one arm of the windows that began between two moments; one query."""
    found = Window.objects.filter(
        rollout=rollout, begin__gte=begin, begin__lt=end, variant=variant
    )
    sums = found.aggregate(**{name: Sum(name, default=0) for name in _NAMES})
    return ArmCounts(**sums)


def _floor(moment: datetime, step: timedelta) -> datetime:
    return _EPOCH + (moment - _EPOCH) // step * step


def _ceiling(moment: datetime, step: timedelta) -> datetime:
    return _EPOCH - (_EPOCH - moment) // step * step


def _counted(
    rollout: Rollout, plan: Plan, begin: datetime, end: datetime
) -> list[Counts]:
    """Ask for equal windows between two moments."""
    found = observations.source().windows(
        begin,
        end,
        step_s=plan.window_s,
        slow_ms=plan.slow_ms,
        costly_tokens=plan.costly_tokens,
        drawn_since=rollout.starts_at,
    )
    return list(found)


def _store(
    rollout: Rollout, begin: datetime, end: datetime, *, counts: Sequence[Counts]
) -> list[Window]:
    """Add these windows unless somebody else has; then nothing is returned."""
    as_seen = Rollout.objects.filter(pk=rollout.pk, counted_until=rollout.counted_until)
    with transaction.atomic():
        if as_seen.update(counted_until=end) == 1:
            rows = _rows(rollout, begin, end, counts=counts)
            Window.objects.bulk_create(rows)
            rollout.counted_until = end
            return rows
    rollout.refresh_from_db(fields=["counted_until"])
    return []


def _rows(
    rollout: Rollout, begin: datetime, end: datetime, *, counts: Sequence[Counts]
) -> list[Window]:
    """Make the rows of equal windows between two moments; none is stored.

    Conversations that were drawn while the percent changed were drawn from two urns,
    and in a pause it is anybody's: the sample ratio must not be judged by them, so they
    count as not assigned.
    """
    step = (end - begin) // len(counts)
    course = _Course(rollout, begin, end)
    rows = []
    for number, by_variant in enumerate(counts):
        first = begin + number * step
        phase_index, percent = course.at(first)
        is_mixed = course.is_mixed(first, first + step)
        for variant in Variant:
            found = by_variant[variant]
            row = Window(
                rollout=rollout,
                begin=first,
                end=first + step,
                variant=variant.value,
                phase_index=phase_index,
                percent=percent,
                **asdict(replace(found, assigned_count=0) if is_mixed else found),
            )
            rows.append(row)
    return rows


class _Course:
    """Where a rollout was when, by its decisions; without any, where its row is."""

    def __init__(self, rollout: Rollout, begin: datetime, end: datetime) -> None:
        last = rollout.decisions.filter(at__lte=begin).order_by("-at", "-number")[:1]
        later = rollout.decisions.filter(at__gt=begin, at__lt=end)
        self._decisions = [*last, *later.order_by("at", "number")]
        known = Rollout.objects.values_list("phase_index", "percent")
        self._now: tuple[int, Decimal] = known.get(pk=rollout.pk)

    def at(self, moment: datetime) -> tuple[int, Decimal]:
        """Return the phase and the percent at a moment."""
        phase_index, percent = self._now
        if self._decisions:
            percent = self._decisions[0].percent_before
        for each in self._decisions:
            if each.at <= moment:
                phase_index, percent = each.phase_index, each.percent_after
        return phase_index, percent

    def is_mixed(self, begin: datetime, end: datetime) -> bool:
        """Tell whether the percent changed after the begin, or may have in a pause."""
        before = [each for each in self._decisions if each.at <= begin][-1:]
        within = [each for each in self._decisions if begin < each.at < end]
        return any(
            each.state_after == Rollout.State.PAUSED for each in (*before, *within)
        ) or any(each.percent_before != each.percent_after for each in within)


def _stored(rollout: Rollout, since: datetime) -> list[Window]:
    found = Window.objects.filter(rollout=rollout, begin__gte=since)
    return list(found.order_by("begin", "id"))


def _corrections(stored: Iterable[Window], fresh: Iterable[Window]) -> Iterator[Window]:
    """Yield the rows that make what is stored what it should be."""
    by_place: dict[tuple[datetime, str], list[Window]] = defaultdict(list)
    for window in stored:
        by_place[window.begin, window.variant].append(window)
    for found in fresh:
        rows = by_place[found.begin, found.variant]
        if not rows:
            continue
        had, has = asdict(_sum(rows)), asdict(_sum([found]))
        is_less = any(has[n] < had[n] for n in ("turn_count", "assigned_count"))
        missing = {n: has[n] - had[n] for n in _NAMES if not _is_same(has[n], had[n])}
        if missing and not is_less:
            yield Window(
                rollout=found.rollout,
                begin=found.begin,
                end=found.end,
                variant=found.variant,
                phase_index=rows[0].phase_index,
                percent=rows[0].percent,
                is_correction=True,
                **missing,
            )


def _is_same(one: float, other: float) -> bool:
    """Forgive what adding up fractions in another order makes of them."""
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def _sum(rows: Iterable[Window]) -> ArmCounts:
    found = [_values(row) for row in rows]
    if not found:
        return ArmCounts()
    # Nearly always it is one row, and a replay has thousands of them.
    sums = found[0] if len(found) == 1 else map(sum, zip(*found, strict=True))
    return ArmCounts(**dict(zip(_NAMES, sums, strict=True)))
