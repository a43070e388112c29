"""What a rollout may know of conversations, read from the rows of their turns."""

from datetime import UTC, datetime, timedelta

from django.db.models import Count, Max, Min, Q

from chat import observations_ratings, observations_summary, observations_turns
from chat.models import Generation
from chat.observations_counting import Bounds, Grid, count
from flags.evaluation import Variant
from flags.observations import ArmCounts, ArmSummary, Traffic


class ChatObservations:
    """The `flags.observations.Observations` of this project; times are of any zone."""

    def windows(  # noqa: PLR0913 - when, by which limits, of whom
        self,
        begin: datetime,
        end: datetime,
        *,
        step_s: float,
        slow_ms: float,
        costly_tokens: float,
        drawn_since: datetime | None = None,
    ) -> list[dict[str, ArmCounts]]:
        """Return what happened in equal windows beside each other, in the same queries.

        The last may pass `end`. A window's day is the one that it begins on.
        """
        step = timedelta(seconds=step_s)
        grid = Grid(begin.astimezone(UTC), step, -((begin - end) // step))
        return count(
            observations_turns.until_end(grid, drawn_since),
            observations_turns.drawn(grid),
            observations_ratings.until_end(grid, drawn_since),
            grid=grid,
            bounds=Bounds(slow_ms=slow_ms, costly_tokens=costly_tokens),
        )

    def summary(
        self, begin: datetime, end: datetime, *, drawn_since: datetime | None = None
    ) -> dict[str, ArmSummary]:
        """Return the arms of a phase, by variant; one row for each conversation."""
        return observations_summary.arms(begin, end, drawn_since)

    def traffic(self, begin: datetime, end: datetime) -> Traffic:
        """Return how much was talked, by turns that began then; one query."""
        treated = Q(variant=Variant.ON)
        without = ~treated
        found = Generation.objects.filter(
            created_at__gte=begin, created_at__lt=end
        ).aggregate(
            conversation_count=_conversations(),
            treated_count=_conversations(treated),
            control_count=_conversations(without),
            control_failed_count=_conversations(without & observations_turns.IS_ERROR),
            first=Min("created_at"),
        )
        first = found.pop("first") or begin
        # Less than an hour says little about an hour.
        return Traffic(hours=max(1.0, (end - first).total_seconds() / 3600), **found)

    def persistent_since(self, moment: datetime) -> tuple[int, datetime | None]:
        """Return how many turns were begun persistently since, and the last of them.

        Those too that fell back to stateless, or still run.
        """
        begun = Generation.objects.filter(created_at__gte=moment)
        found = begun.filter(
            observations_turns.IS_PERSISTENT | Q(variant=Variant.ON)
        ).aggregate(count=Count("id"), last=Max("created_at"))
        return found["count"], found["last"]


def _conversations(which: Q | None = None) -> Count:
    return Count("conversation", distinct=True, filter=which)
