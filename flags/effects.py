"""What a step of a rollout means for conversations, before it is taken."""

from datetime import datetime, timedelta
from decimal import Decimal

from flags import acting, gathering, observations, windows, wording
from flags.conf import PERCENT
from flags.evaluation import Variant
from flags.models import Rollout
from flags.situation import Outcome

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def of(rollout: Rollout, outcome: Outcome, now: datetime) -> list[str]:
    """Return sentences: the percent before and after, and who gets something else.

    What is measured here is of the last hour, and of the last 24 hours.
    """
    old = gathering.flag_percent()
    # In a pause the flag may give something else than the rollout's row says.
    percent = outcome.percent if outcome.move in acting.SETS_PERCENT else old
    was, will = (wording.value(PERCENT, each) for each in (old, percent))
    if old == percent:
        return [f"The percent stays at {was}."]
    return [
        f"{was} → {will} of conversations.",
        _begin(rollout, abs(percent - old), now, is_more=percent > old),
        _flip(old, percent, now),
    ]


def _begin(rollout: Rollout, change: Decimal, now: datetime, *, is_more: bool) -> str:
    begin = now - _HOUR
    count = sum(
        windows.totals(rollout, begin, now, variant.value).assigned_count
        for variant in Variant
    )
    if not count:
        return (
            "How many conversations begin in an hour is not known: none was counted in "
            "the last one."
        )
    share = round(count * float(change) / 100)
    if share == count:
        what = "get the feature" if is_more else "do not get the feature any more"
        return f"The {count:,} conversations that begin in an hour {what}."
    return (
        f"About {share:,} {'more' if is_more else 'fewer'} of the {count:,} "
        f"conversations that begin in an hour get the feature."
    )


def _flip(old: Decimal, new: Decimal, now: datetime) -> str:
    """Say how many conversations change at their next turn."""
    if old < new < 100:
        return "Conversations that run already stay as they are."
    # Of all that talk: where everybody gets it, nobody was drawn.
    found = observations.source().traffic(now - _DAY, now)
    count = found.control_count if new > old else found.treated_count
    if new > old:
        return (
            f"The {count:,} conversations that went on without it in the last 24 hours "
            f"get it at their next turn."
        )
    flipped = round(count * float(1 - new / old))
    who = "The" if flipped == count else f"About {flipped:,} of the"
    return (
        f"{who} {count:,} conversations that had it in the last 24 hours go back at "
        f"their next turn; no message is lost."
    )
