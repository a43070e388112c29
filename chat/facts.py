"""What chat tells monitoring, read from the turns' own rows: exact, of all processes.

Every query is bounded by a window on an indexed time, so none grows with the store.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from math import floor

from django.db.models import Avg, Count, F, Q, QuerySet

from chat import conf, measurements, registrations
from chat.models import Conversation, Generation
from chat.prices import CACHED_PRICE_RATIO
from flags import evaluation
from flags.evaluation import Variant
from monitoring import jobs
from monitoring.facts import (
    Arm,
    Measured,
    Newcomers,
    Percentile,
    Pool,
    SessionTurns,
    Tally,
    Timing,
    Turns,
)
from monitoring.registry import Ratio

SessionOutcome = Generation.SessionOutcome


class ChatFacts:
    """The `monitoring.facts.Facts` of this project."""

    def turns(self, *, since: datetime) -> Turns:
        """Return the turns begun since that have ended; a stopped one is no error."""
        rows = list(_ended(since).values_list("duration_ms", "error_code"))
        return Turns(
            timing=_timing(duration_ms for duration_ms, _ in rows),
            count=len(rows),
            errors_by_code=Counter(code for _, code in rows if code),
        )

    def tally(self, *, since: datetime) -> Tally:
        """Count the turns begun since that have ended; no row is loaded."""
        found = _ended(since).aggregate(
            count=Count("id"),
            error_count=Count("id", filter=~Q(error_code="")),
            timed_count=Count("duration_ms"),
            avg_ms=Avg("duration_ms"),
        )
        return Tally(**found)

    def turn_percentile(self, share: float, *, since: datetime) -> Percentile:
        """Return a percentile of how long turns took."""
        return _percentile("duration_ms", share, since)

    def first_text_percentile(self, share: float, *, since: datetime) -> Percentile:
        """Return a percentile of the time until the first text."""
        return _percentile("time_to_first_token_ms", share, since)

    def session_turns(self, *, since: datetime) -> SessionTurns:
        """Return how persistent turns found their session."""
        found = _ended(since).filter(variant=Variant.ON).order_by()
        counts = dict(found.values_list("session_outcome").annotate(Count("id")))
        return SessionTurns(
            hit=counts.get(SessionOutcome.HIT, 0),
            topped_up=counts.get(SessionOutcome.TOPPED_UP, 0),
            recovered=counts.get(SessionOutcome.RECOVERED, 0),
            stateless=counts.get(SessionOutcome.STATELESS, 0),
        )

    def exposure(self, *, since: datetime) -> Ratio:
        """Return how many of the turns were not stateless."""
        is_good = ~Q(strategy=Generation.Strategy.STATELESS)
        found = _ended(since).aggregate(
            good=Count("id", filter=is_good), valid=Count("id")
        )
        return Ratio(**found)

    def session_timing(self, outcome: str, *, since: datetime) -> Timing:
        """Return how long it took until such a session could be used."""
        rows = _ended(since).filter(session_outcome=outcome)
        return _timing(rows.values_list("session_ms", flat=True))

    def arms(self, *, since: datetime) -> tuple[Arm, Arm]:
        """Return treatment and control; both only of turns that came to a good end."""
        good = _ended(since).filter(status=Generation.Status.COMPLETE)
        treatment = good.filter(variant=Variant.ON)
        control = good.filter(variant=Variant.OFF)
        return _arm(treatment), _arm(control)

    def pool(self) -> Pool:
        """Return the live sessions; `last_cleanup` is the end of one that succeeded."""
        stats = registrations.stats()
        return Pool(
            count=stats.count,
            maximum=stats.maximum,
            size_bytes=stats.size_bytes,
            oldest_age_s=stats.oldest_age_s,
            cleanup_interval_s=conf.CLEANUP_INTERVAL.get(),
            last_cleanup=jobs.last_success("chat.clean_up_sessions"),
            emergency_share=float(conf.EMERGENCY_THRESHOLD.get()),
            is_counted=conf.TRACKING.get(),
        )

    def newcomers(self, *, since: datetime) -> Newcomers:
        """Return what was begun; found by last activity and by the turns' own time."""
        # What is new is active, too, and activity is indexed.
        active = Conversation.objects.filter(updated_at__gte=since)
        said = Generation.objects.filter(created_at__gte=since).aggregate(
            answers=Count(
                "message", distinct=True, filter=Q(message__created_at__gte=since)
            ),
            questions=Count(
                "message__parent",
                distinct=True,
                filter=Q(message__parent__created_at__gte=since),
            ),
        )
        newest = Conversation.objects.order_by("-updated_at")
        return Newcomers(
            sessions=active.filter(created_at__gte=since).count(),
            messages=said["answers"] + said["questions"],
            last_activity=newest.values_list("updated_at", flat=True).first(),
        )

    def is_persistent_enabled(self) -> bool:
        """Tell whether anybody may get a persistent session."""
        return evaluation.reaches_anybody(conf.FLAG)

    def measured(self, begin: datetime, end: datetime) -> Iterable[Measured]:
        """Yield what was measured on the turns begun in a window that have ended."""
        return measurements.measured(begin, end)

    def is_measuring(self) -> bool:
        """Tell whether turns are counted."""
        return conf.TRACKING.get()

    def running_since(self) -> datetime | None:
        """Return when the oldest turn began that still runs, or is taken to."""
        return measurements.running_since()


def _timing(times_ms: Iterable[float | None]) -> Timing:
    return Timing.of([each for each in times_ms if each is not None])


def _percentile(column: str, share: float, since: datetime) -> Percentile:
    """Let the database sort, and load the two rows that it falls between."""
    times = _ended(since).filter(**{f"{column}__isnull": False})
    count = times.count()
    if not count:
        return Percentile(None, 0)
    place = (count - 1) * share
    first = floor(place)
    found = list(times.order_by(column).values_list(column, flat=True)[first:][:2])
    low, high = found[0], found[-1]
    return Percentile(low + (high - low) * (place - first), count)


def _ended(since: datetime) -> "QuerySet[Generation]":
    return Generation.objects.filter(created_at__gte=since, ended_at__isnull=False)


def _arm(turns: "QuerySet[Generation]") -> Arm:
    billed = F("prompt_tokens") - (1 - CACHED_PRICE_RATIO) * F("cached_tokens")
    found = turns.aggregate(
        turn_count=Count("id"),
        input_tokens_per_turn=Avg(billed),
        response_ms=Avg("duration_ms"),
        token_count=Count(billed),
        response_count=Count("duration_ms"),
    )
    return Arm(**found)
