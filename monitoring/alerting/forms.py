"""The forms of the alert pages; what may be done is decided by the steps."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError

from monitoring import registry, words
from monitoring.alerting import wording
from monitoring.alerting.silences import Target
from monitoring.models import AlertRule

_OWN = "own"
_LENGTHS = (
    ("1", "for 1 hour"),
    ("4", "for 4 hours"),
    ("24", "for 1 day"),
    (_OWN, "until the time below"),
)


class SilenceForm(forms.Form):
    """How long to tell nobody, and why."""

    length = forms.ChoiceField(choices=_LENGTHS, label="How long")
    ends_at = forms.DateTimeField(
        required=False,
        label="Until",
        help_text="In UTC, within the next 30 days; only for the last choice above.",
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )
    reason = forms.CharField(
        max_length=words.MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What is known, so that others need not ask.",
        error_messages={"required": "Say why: others see it beside the alert."},
    )

    def end(self, now: datetime) -> datetime | None:
        """Return when the silence ends; None: the form does not say."""
        if self.cleaned_data["length"] == _OWN:
            ends_at: datetime | None = self.cleaned_data["ends_at"]
            return ends_at
        return now + timedelta(hours=int(self.cleaned_data["length"]))


class SilenceAlertForm(SilenceForm):
    """The same for one alert: for its part only, or for all parts of its rule."""

    is_for_all = forms.BooleanField(
        required=False, label="All parts of it, not only this one"
    )
    field_order = ("length", "ends_at", "is_for_all", "reason")

    def __init__(self, *given: Any, label: str, **more: Any) -> None:
        super().__init__(*given, **more)
        if not label:
            del self.fields["is_for_all"]


class SilenceAnyForm(SilenceForm):
    """The same for every alert of a name, or for all alerts."""

    name = forms.ChoiceField(label="Which alerts", required=False)
    label = forms.CharField(
        required=False,
        max_length=64,
        label="Part",
        help_text="Such as the name of a check or a job; empty: all parts.",
    )
    field_order = ("name", "label", "length", "ends_at", "reason")

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        names = AlertRule.objects.values_list("name", flat=True)
        field = self.fields["name"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type only
        field.choices = [("", "every alert"), *((name, name) for name in names)]

    def target(self) -> Target:
        """Return the alerts that are meant."""
        return Target(
            name=self.cleaned_data["name"], label=self.cleaned_data["label"].strip()
        )


class RuleForm(forms.ModelForm):
    """A rule, with the metrics and settings there are to choose from."""

    metric = forms.ChoiceField()
    switch = forms.ChoiceField(
        required=False, help_text="The setting that switches it off."
    )

    class Meta:
        model = AlertRule
        fields = "__all__"  # noqa: DJ007 - the admin says which
        labels = {
            "label": "Part",
            "min_samples": "Samples needed",
            "window_s": "Window (seconds)",
            "short_window_s": "Short window (seconds)",
            "clear_threshold": "Over at",
            "for_s": "Fires after (seconds)",
            "keep_firing_s": "Over after (seconds)",
            "repeat_s": "Told again after (seconds)",
            "is_enabled": "Watched",
        }
        widgets = {
            "summary": AdminTextInputWidget(attrs={"class": "vLargeTextField"}),
            "runbook": AdminTextInputWidget(attrs={"class": "vLargeTextField"}),
        }

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        metrics = [
            (metric.name, f"{metric.name} ({metric.unit}): {metric.help}")
            for metric in registry.metrics()
        ]
        _choose(self.fields["metric"], metrics, self.instance.metric)
        switches = [("", "none"), *((name, name) for name in registry.switches())]
        _choose(self.fields["switch"], switches, self.instance.switch)
        if unit := wording.unit(self.instance.metric):
            is_share = unit == "ratio"
            words = "As a ratio: 0.1 is 10 %." if is_share else f"In {unit}."
            self.fields["threshold"].help_text = words


def _choose(field: forms.Field, choices: list[tuple[str, str]], held: str) -> None:
    """Offer these, and what is stored though nobody knows it in this release."""
    if not isinstance(field, forms.ChoiceField):
        raise ValidationError("This field can't be chosen.")
    if held not in {"", *dict(choices)}:
        choices = [*choices, (held, f"{held} (unknown in this release)")]
    field.choices = choices
