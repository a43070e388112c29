"""What became of conversations without the feature: what a simulation may go by."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import BooleanField, ExpressionWrapper, Q

from chat import observations_ratings
from chat.models import Generation
from chat.observations_counting import Bounds, Grid, Turn, count
from chat.observations_turns import BILLED, IS_BLANK, IS_ERROR, IS_GOOD
from flags.evaluation import Variant
from flags.observations import ArmCounts

# A turn that ended in a window began a while before it.
_REACH = timedelta(hours=1)


class ChatPast:
    """The `flags.past.Past` of this project."""

    def untreated(
        self,
        begin: datetime,
        end: datetime,
        *,
        step_s: float,
        slow_ms: float,
        costly_tokens: float,
    ) -> list[ArmCounts]:
        """Return what happened in each of the equal windows between two moments."""
        step = timedelta(seconds=step_s)
        grid = Grid(begin.astimezone(UTC), step, -((begin - end) // step))
        bounds = Bounds(slow_ms=slow_ms, costly_tokens=costly_tokens)
        off = Variant.OFF.value
        rated = observations_ratings.of_untreated(grid)
        found = count(_turns(grid), [], rated, grid=grid, bounds=bounds)
        return [each[off] for each in found]


def _turns(grid: Grid) -> Iterator[Turn]:
    found = Generation.objects.filter(
        created_at__gte=grid.begin - _REACH,
        created_at__lt=grid.end,
        ended_at__gte=grid.begin,
        ended_at__lt=grid.end,
    ).exclude(variant=Variant.ON)
    rows = found.annotate(
        is_error=_truth(IS_ERROR),
        is_blank=_truth(IS_BLANK),
        is_good=_truth(IS_GOOD),
        billed=BILLED,
    ).values_list(
        *("conversation_id", "ended_at", "is_error", "is_blank", "is_good"),
        *("billed", "duration_ms"),
    )
    for conversation_id, ended_at, is_error, is_blank, is_good, billed, ms in rows:
        yield Turn(
            conversation_id=conversation_id,
            variant=Variant.OFF.value,
            ended_at=ended_at,
            is_persistent=False,
            is_lookup=False,
            is_hit=False,
            is_error=is_error,
            is_blank=is_blank,
            is_good=is_good,
            billed_tokens=billed,
            duration_ms=ms,
        )


def _truth(of: Q) -> ExpressionWrapper:
    return ExpressionWrapper(of, output_field=BooleanField())
