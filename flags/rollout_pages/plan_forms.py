"""A plan as forms: its phases and gates as rows, its limits beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from flags.plan_kinds import MOST
from flags.plans import DAY_S, HOUR_S, Action, Harm, Phase, Plan, Success
from flags.rollout_pages import words

# What success may be about: key in the plan, words, whether more is better.
MEASURES: Mapping[str, tuple[str, str, bool]] = {
    "error_ratio": ("few_errors", "Failed turns, at most", False),
    "session_hit_ratio": ("session_hits", "Sessions found live, at least", True),
    "billed_token_reduction": ("fewer_tokens", "Fewer billed tokens, at least", True),
    "response_time_reduction": ("sooner", "Sooner answers, at least", True),
    "dislike_ratio": ("satisfied", "Disliked answers, at most", False),
}
_HUNDRED = Decimal(100)
_ACTIONS = [(Action.ROLL_BACK, "rolls back"), (Action.HALVE, "halves")]


def _number(label: str, **limits: Any) -> forms.FloatField:
    attributes = {"inputmode": "decimal", "autocomplete": "off", "size": "7"}
    return forms.FloatField(
        label=label, widget=forms.TextInput(attrs=attributes), **limits
    )


class PhaseForm(forms.Form):
    """A phase: percent, time, information, looks, approval, and what it must show."""

    percent = forms.DecimalField(
        label="Percent",
        max_digits=5,
        decimal_places=2,
        **words.limits(Decimal("0.01"), _HUNDRED),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": "6"}),
    )
    hours = _number("Hours", **words.limits(0.01, 8760))
    units = forms.IntegerField(
        label="Treatment conversations",
        **words.limits(0, 100_000_000),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": "8"}),
    )
    looks = forms.CharField(
        label="Success judged at, % of the time",
        initial="25, 50, 75, 100",
        widget=forms.TextInput(attrs={"size": "16"}),
    )
    needs_approval = forms.BooleanField(
        label="A second person approves it", required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for metric, (_, label, _above) in MEASURES.items():
            self.fields[metric] = _number(f"{label} (%)", required=False)
            self.fields[f"{metric}_shown"] = forms.BooleanField(
                label="shown only", required=False
            )

    def clean_looks(self) -> tuple[float, ...]:
        """Return the looks as shares of the phase's time. Raises: ValidationError."""
        text = self.cleaned_data["looks"]
        try:
            percents = [float(each) for each in text.split(",")]
        except ValueError:
            percents = []
        if [0, *percents] != sorted({0, *percents}) or percents[-1:] != [100]:
            raise ValidationError(
                f"{text!r} are no looks: write percents that grow and end with 100, "
                f"with commas between them, such as 25, 50, 75, 100."
            )
        return tuple(each / 100 for each in percents)

    def measures(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Return each success gate's threshold, and whether it is shown only."""
        return [(self[metric], self[f"{metric}_shown"]) for metric in MEASURES]

    def phase(self) -> Phase:
        """Return the phase that was typed."""
        given = self.cleaned_data
        success = tuple(
            Success(
                key=key,
                metric=metric,
                threshold=float(Decimal(str(given[metric])) / 100),
                is_above=is_above,
                is_required=not given[f"{metric}_shown"],
            )
            for metric, (key, _, is_above) in MEASURES.items()
            if given[metric] is not None
        )
        return Phase(
            percent=given["percent"],
            dwell_s=round(given["hours"] * HOUR_S),
            unit_count=given["units"],
            looks=given["looks"],
            success=success,
            needs_approval=given["needs_approval"],
        )


class HarmForm(forms.Form):
    """A harm gate: its part of false alarms, its margin, and what it does."""

    key = forms.CharField(widget=forms.HiddenInput)
    event = forms.CharField(widget=forms.HiddenInput)
    alpha = _number("False alarms (α), % of ramps", **words.limits(0.0001, 9.999))
    margin = _number("Margin (odds ratio)", **words.limits(1, 5))
    action = forms.ChoiceField(label="Once proved, it", choices=_ACTIONS)

    @property
    def name(self) -> str:
        """What the gate is called."""
        return words.label(str(self["key"].value()))

    def harm(self) -> Harm:
        """Return the gate that was typed."""
        given = self.cleaned_data
        return Harm(
            key=given["key"],
            event=given["event"],
            alpha=float(Decimal(str(given["alpha"])) / 100),
            margin=given["margin"],
            action=Action(given["action"]),
        )


class LimitsForm(forms.Form):
    """What holds for the whole ramp."""

    holdback = forms.DecimalField(
        label="Holdback: percent that stay in control, also at 100 %",
        max_digits=5,
        decimal_places=2,
        **words.limits(0, 50),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": "6"}),
    )
    extension_days = _number(
        "A phase may be extended by, days", **words.limits(0.01, 365)
    )
    slow_ms = _number("A conversation is slow above, ms", **words.limits(1))
    costly_tokens = _number("A conversation is costly above, tokens", **words.limits(1))


# `absolute_max`: else a request could ask for a thousand, which take half a minute.
_ROWS: dict[str, Any] = {"can_delete": True, "max_num": 20, "absolute_max": MOST}
PhaseForms = forms.formset_factory(PhaseForm, extra=1, **_ROWS)
HarmForms = forms.formset_factory(HarmForm, extra=0, **_ROWS)


def of_phases(phases: Sequence[Phase]) -> list[dict[str, Any]]:
    """Return phases as fields of their forms."""
    return [_of_phase(each) for each in phases]


def of_harms(harms: Sequence[Harm]) -> list[dict[str, Any]]:
    """Return harm gates as fields of their forms."""
    return [
        {
            "key": each.key,
            "event": each.event,
            "alpha": _plain(each.alpha * 100),
            "margin": _plain(each.margin),
            "action": each.action,
        }
        for each in harms
    ]


def of_limits(plan: Plan) -> dict[str, Any]:
    """Return a plan's limits as fields of their form."""
    return {
        "holdback": plan.holdback_percent,
        "extension_days": _plain(plan.max_extension_s / DAY_S),
        "slow_ms": _plain(plan.slow_ms),
        "costly_tokens": _plain(plan.costly_tokens),
    }


def changed(plan: Plan, limits: Mapping[str, Any], **parts: Any) -> Plan:
    """Return a plan with these phases, harms and limits in the place of its own."""
    return replace(
        plan,
        holdback_percent=limits["holdback"],
        max_extension_s=round(limits["extension_days"] * DAY_S),
        slow_ms=limits["slow_ms"],
        costly_tokens=limits["costly_tokens"],
        **parts,
    )


def unshown(plan: Plan) -> list[str]:
    """Return the success gates that the forms have no field for."""
    return [
        f"phase {number}: {words.label(gate.key)}"
        for number, phase in enumerate(plan.phases, 1)
        for gate in phase.success
        if not _has_field(gate)
    ]


def _of_phase(phase: Phase) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "percent": phase.percent,
        "hours": _plain(phase.dwell_s / HOUR_S),
        "units": phase.unit_count,
        "looks": ", ".join(_plain(100 * share) for share in phase.looks),
        "needs_approval": phase.needs_approval,
    }
    for gate in filter(_has_field, phase.success):
        fields[gate.metric] = _plain(100 * gate.threshold)
        fields[f"{gate.metric}_shown"] = not gate.is_required
    return fields


def _has_field(gate: Success) -> bool:
    known = MEASURES.get(gate.metric)
    return known is not None and (gate.key, gate.is_above) == (known[0], known[2])


def _plain(number: float) -> str:
    """Return a number without what a float adds to it."""
    return f"{number:.6g}" if abs(number) < 1e6 else f"{number:.0f}"
