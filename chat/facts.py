"""What chat tells monitoring, read from the turns' own rows: exact, of all processes.

Every query is bounded by a window on an indexed time, so none grows with the store.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Avg, Count, F, Q, QuerySet

from chat import conf, registrations
from chat.models import Conversation, Generation
from flags import evaluation
from monitoring import jobs
from monitoring.facts import Arm, Newcomers, Pool, SessionTurns, Timing, Turns

# Gemini bills a cached prompt token at a tenth (price list of 2026-10).
CACHED_PRICE_RATIO = 0.1

_Outcome = Generation.SessionOutcome


class ChatFacts:
    """The `monitoring.facts.Facts` of this project."""

    def turns(self, *, since: datetime) -> Turns:
        """Return the turns that ended since; one that was stopped is no error."""
        ended = _ended(since)
        codes = (
            ended.exclude(error_code="")
            .order_by()
            .values_list("error_code")
            .annotate(Count("id"))
        )
        return Turns(
            timing=_timing(ended.values_list("duration_ms", flat=True)),
            count=ended.count(),
            errors_by_code=dict(codes),
        )

    def session_turns(self, *, since: datetime) -> SessionTurns:
        """Return how persistent turns found their session."""
        found = _ended(since).filter(variant="on").order_by()
        counts = dict(found.values_list("session_outcome").annotate(Count("id")))
        return SessionTurns(
            hit=counts.get(_Outcome.HIT, 0),
            topped_up=counts.get(_Outcome.TOPPED_UP, 0),
            recovered=counts.get(_Outcome.RECOVERED, 0),
            stateless=counts.get(_Outcome.STATELESS, 0),
        )

    def session_timing(self, outcome: str, *, since: datetime) -> Timing:
        """Return how long it took until such a session could be used."""
        rows = _ended(since).filter(session_outcome=outcome)
        return _timing(rows.values_list("session_ms", flat=True))

    def arms(self, *, since: datetime) -> tuple[Arm, Arm]:
        """Return treatment and control; both only of turns that came to a good end."""
        good = _ended(since).filter(status=Generation.Status.COMPLETE)
        return _arm(good.filter(variant="on")), _arm(good.filter(variant="off"))

    def pool(self) -> Pool:
        """Return the live sessions."""
        stats = registrations.stats()
        return Pool(
            count=stats.count,
            maximum=stats.maximum,
            size_bytes=stats.size_bytes,
            oldest_age_s=stats.oldest_age_s,
            cleanup_interval_s=conf.CLEANUP_INTERVAL.get(),
            last_cleanup=jobs.last_run("chat.clean_up_sessions"),
            emergency_share=float(conf.EMERGENCY_THRESHOLD.get()),
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
        state = evaluation.state(conf.FLAG)
        return state is not None and state.threshold > 0


def _timing(times_ms: Iterable[float | None]) -> Timing:
    return Timing.of([each for each in times_ms if each is not None])


def _ended(since: datetime) -> "QuerySet[Generation]":
    return Generation.objects.filter(created_at__gte=since, ended_at__isnull=False)


def _arm(turns: "QuerySet[Generation]") -> Arm:
    billed = F("prompt_tokens") - (1 - CACHED_PRICE_RATIO) * F("cached_tokens")
    found = turns.aggregate(
        count=Count("id"), tokens=Avg(billed), response_ms=Avg("duration_ms")
    )
    return Arm(found["count"], found["tokens"], found["response_ms"])
