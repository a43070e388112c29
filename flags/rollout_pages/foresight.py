"""What each phase of a plan will be able to see, with the traffic that there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms

from flags import observations
from flags.gates import foresight
from flags.plans import HOUR_S, Plan
from flags.rollout_pages import words

MEASURED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Outlook:
    """A phase: what it can see, and whether its information comes in its time."""

    number: int
    sees: str
    comes: str
    is_short: bool


class TrafficForm(forms.Form):
    """How much is talked, and how often that fails."""

    per_hour = forms.FloatField(
        label="Conversations an hour",
        **words.limits(0.1, 10_000_000),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    failing = forms.FloatField(
        label="Of 100 of them, so many fail",
        **words.limits(0.001, 50),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


def measured(now: datetime) -> dict[str, str]:
    """Return the traffic of the last days, as fields of the form; what is known."""
    found = observations.source().traffic(now - MEASURED, now)
    fields = {}
    if found.per_hour:
        fields["per_hour"] = f"{found.per_hour:.1f}"
    if found.error_ratio:
        fields["failing"] = f"{max(0.001, 100 * found.error_ratio):.3g}"
    return fields


def outlooks(plan: Plan, *, per_hour: float, failing: float) -> Sequence[Outlook]:
    """Say it for each phase; `failing` is of 100 conversations."""
    return [_outlook(plan, index, per_hour, failing) for index in _phases(plan)]


def _phases(plan: Plan) -> range:
    return range(len(plan.phases))


def _outlook(plan: Plan, index: int, per_hour: float, failing: float) -> Outlook:
    phase = plan.phases[index]
    share = float(plan.percent_of(index)) / 100
    needed_s = HOUR_S * phase.unit_count / (per_hour * share) if share else 0.0
    comes = (
        f"Its {phase.unit_count:,} treatment conversations take about "
        f"{words.span(needed_s)}, and it lasts {words.span(phase.dwell_s)}."
    )
    sees = foresight.sentence(
        plan,
        index,
        conversations_per_hour=per_hour,
        base_error_ratio=failing / 100,
    )
    return Outlook(index + 1, sees, comes, needed_s > phase.dwell_s)
