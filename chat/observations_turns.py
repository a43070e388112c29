"""The turns of a rollout's arms: which they are, and what each of them was.

An arm is the variant that turns were opened with; what a conversation does from its
first change of variant on is in neither. What counts as what:

- error: any error but those below. Who dies without a word counts, too: a process takes
  turns of both arms with it, unless those of one arm are what kills it.
- blank: the model said nothing, or its safety rules stopped it.
- nothing: a turn that its person stopped, and one that a restart of ours interrupted.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)

from chat.errors import EmptyAnswer, ResponseBlocked, ShuttingDown
from chat.models import Generation, VariantChange
from chat.observations_counting import Drawn, Grid, Turn
from chat.prices import CACHED_PRICE_RATIO
from flags.evaluation import Reason, Variant

SessionOutcome = Generation.SessionOutcome

ARMS = [each.value for each in Variant]
# An end is insisted on for two minutes, and the dead are looked for every minute.
_SLACK = timedelta(minutes=4)
_SKEW = timedelta(minutes=1)  # between the clocks of two hosts
_IDS_PER_QUERY = 10_000  # an SQLite of any age takes 32,766

IS_BLANK = Q(error_code=ResponseBlocked.code) | Q(
    error_reason__in=[EmptyAnswer.reason, "thoughts_only"]
)
IS_ERROR = ~Q(error_code="") & ~IS_BLANK & ~Q(error_reason=ShuttingDown.reason)
IS_GOOD = Q(status=Generation.Status.COMPLETE)
IS_PERSISTENT = ~Q(strategy=Generation.Strategy.STATELESS)
# A first turn has no session to find, and one whose process died may not have looked;
# as in `ChatFacts.session_turns`.
IS_LOOKUP = Q(variant=Variant.ON) & ~Q(session_outcome__in=["", SessionOutcome.CREATED])
IS_HIT = Q(variant=Variant.ON, session_outcome=SessionOutcome.HIT)
BILLED = ExpressionWrapper(
    F("prompt_tokens") - (1 - CACHED_PRICE_RATIO) * F("cached_tokens"),
    output_field=FloatField(),
)


def _reach() -> timedelta:
    """Return how long after its begin a turn may end; given up later, it is in none."""
    limit_s = settings.GEMINI_TOTAL_DEADLINE_S + settings.HEARTBEAT_STALE_S
    return timedelta(seconds=limit_s) + _SLACK


def ended(
    begin: datetime, end: datetime, drawn_since: datetime | None = None
) -> "QuerySet[Generation]":
    """Return the turns of both arms that ended between, found by when they began."""
    return _ended(begin, end, drawn_since).filter(
        created_at__gte=begin - _reach(), created_at__lt=end + _SKEW
    )


def _ended(
    begin: datetime, end: datetime, drawn_since: datetime | None = None
) -> "QuerySet[Generation]":
    return of_arms(drawn_since).filter(ended_at__gte=begin, ended_at__lt=end)


def of_arms(drawn_since: datetime | None = None) -> "QuerySet[Generation]":
    """Return the turns of both arms: only conversations that were drawn have one.

    Who was there before anybody was, is older and longer than any treatment; and who
    was drawn by an earlier rollout says how that one went.
    """
    own = Generation.objects.filter(conversation=OuterRef("conversation"))
    found = Generation.objects.filter(
        Exists(own.filter(variant_reason=Reason.SPLIT)), variant__in=ARMS
    ).exclude(variant_reason=Reason.ERROR)
    if drawn_since is None:
        return found
    return found.filter(~Exists(own.filter(created_at__lt=drawn_since)))


def until_end(grid: Grid, drawn_since: datetime | None = None) -> list[Turn]:
    """Return the turns of all windows, and what the same conversations did before
    on the day of the first.
    """
    turns = list(_unchanged(ended(grid.begin, grid.end, drawn_since)))
    return [*_earlier(grid, {turn.conversation_id for turn in turns}), *turns]


def _unchanged(found: "QuerySet[Generation]") -> Iterator[Turn]:
    """Yield those of conversations that have had no other variant yet.

    The turn that brought the change began a little before the change itself.
    """
    reach = _reach()
    changes = VariantChange.objects.filter(conversation=OuterRef("conversation"))
    first = changes.order_by("id")
    rows = found.annotate(
        changed_at=Subquery(first.values("created_at")[:1]),
        old=Subquery(first.values("old")[:1]),
        is_persistent=_truth(IS_PERSISTENT),
        is_lookup=_truth(IS_LOOKUP),
        is_hit=_truth(IS_HIT),
        is_error=_truth(IS_ERROR),
        is_blank=_truth(IS_BLANK),
        is_good=_truth(IS_GOOD),
        billed=BILLED,
    ).values_list(
        *("created_at", "changed_at", "old"),
        *("conversation_id", "variant", "ended_at"),
        *("is_persistent", "is_lookup", "is_hit", "is_error", "is_blank", "is_good"),
        *("billed", "duration_ms"),
    )
    for created_at, changed_at, old, *row in rows:
        turn = Turn(*row)
        has_changed = changed_at and (created_at >= changed_at or turn.variant != old)
        if not has_changed and -_SKEW <= turn.ended_at - created_at <= reach:
            yield turn


def _truth(of: Q) -> ExpressionWrapper:
    return ExpressionWrapper(of, output_field=BooleanField())


def _earlier(grid: Grid, conversation_ids: set[int]) -> Iterator[Turn]:
    """Yield what these did before on the day of the first window."""
    if grid.begin == grid.midnight:
        return
    ids: Sequence[int] = sorted(conversation_ids)
    for first in range(0, len(ids), _IDS_PER_QUERY):
        some = ids[first : first + _IDS_PER_QUERY]
        found = _ended(grid.midnight, grid.begin).filter(conversation__in=some)
        yield from _unchanged(found)


def drawn(grid: Grid) -> Iterator[Drawn]:
    """Yield the conversations whose first turn began in a window, by their bucket."""
    before = Generation.objects.filter(
        conversation=OuterRef("conversation"), pk__lt=OuterRef("pk")
    )
    found = Generation.objects.filter(
        ~Exists(before),
        created_at__gte=grid.begin,
        created_at__lt=grid.end,
        variant__in=ARMS,
        variant_reason=Reason.SPLIT,
    )
    for row in found.values_list("created_at", "variant"):
        yield Drawn(*row)
