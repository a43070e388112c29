"""What the people of a rollout's arms said of their answers."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from chat import observations_turns
from chat.models import Generation, VariantChange
from chat.observations_counting import Grid, Rated
from flags.evaluation import Variant

_AT = "message__rating__rated_at"
_IS_GOOD = "message__rating__is_good"


def until_end(grid: Grid, drawn_since: datetime | None = None) -> list[Rated]:
    """Return the ratings of all windows, and bad ones from before of the same day.

    One query: those of a day are few, and of the time before the grid only bad ones
    matter.
    """
    since = Q(**{f"{_AT}__gte": grid.begin}) | Q(**{_IS_GOOD: False})
    found = _unchanged(observations_turns.of_arms(drawn_since)).filter(
        since, **{f"{_AT}__gte": grid.midnight, f"{_AT}__lt": grid.end}
    )
    return list(_rated(found))


def of_untreated(grid: Grid) -> Iterator[Rated]:
    """Yield the ratings of those without the feature."""
    found = Generation.objects.exclude(variant=Variant.ON).filter(
        **{f"{_AT}__gte": grid.begin, f"{_AT}__lt": grid.end}
    )
    for each in _rated(found):
        yield each._replace(variant=Variant.OFF.value)


def _unchanged(found: "QuerySet[Generation]") -> "QuerySet[Generation]":
    """Leave out what was said after the conversation got another variant."""
    changes = VariantChange.objects.filter(
        conversation=OuterRef("conversation"), created_at__lte=OuterRef(_AT)
    )
    return found.filter(~Exists(changes))


def _rated(found: "QuerySet[Generation]") -> Iterator[Rated]:
    rows = found.values_list("conversation_id", "variant", F(_AT), F(_IS_GOOD))
    return (Rated(*row) for row in rows)
