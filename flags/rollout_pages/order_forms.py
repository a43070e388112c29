"""The form of an order: why, and what else the verb asks for."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms

from flags.conf import FLAG
from flags.permits import Obstacle

_FOREVER = ""
_HOURS = [
    (_FOREVER, "until somebody releases it"),
    ("1", "for 1 hour"),
    ("4", "for 4 hours"),
    ("12", "for 12 hours"),
    ("24", "for a day"),
    ("72", "for 3 days"),
]


class OrderForm(forms.Form):
    """Why, and the version of the rollout that the person decided by."""

    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why: the reason is kept with the decision."},
        help_text="One sentence that the next operator understands.",
    )

    def options(self, now: datetime) -> dict[str, Any]:
        """Return what the verb is told beside the reason."""
        del now
        return {}


class HoldForm(OrderForm):
    """How long to stay."""

    hours = forms.ChoiceField(
        label="How long", choices=_HOURS, required=False, initial=_FOREVER
    )

    def options(self, now: datetime) -> dict[str, Any]:
        """Return the moment until which it is held; None: until it is released."""
        hours = self.cleaned_data["hours"]
        return {"until": now + timedelta(hours=int(hours)) if hours else None}


class ReleaseForm(OrderForm):
    """Which hold to let go of; without one, all of them."""

    hold = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def options(self, now: datetime) -> dict[str, Any]:
        """Return the hold."""
        del now
        return {"hold_id": self.cleaned_data["hold"]}


class ApproveForm(OrderForm):
    """A second person's word; the reason may be left out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False
        self.fields["reason"].label = "Reason (may be left empty)"


class AdvanceForm(OrderForm):
    """What does not count this time; then the flag's name is to be typed."""

    phase = forms.IntegerField(required=False, widget=forms.HiddenInput)
    overriding = forms.MultipleChoiceField(
        label="Go on although this has not been shown",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": "What stood in the way has changed: look again."
        },
    )
    name = forms.CharField(
        label=f"To override, type the flag's name: {FLAG}",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        obstacles: Sequence[Obstacle] = (),
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self._asked = {each.key for each in obstacles}
        if not obstacles:
            del self.fields["overriding"], self.fields["name"]
            return
        choices = [(each.key, each.sentence) for each in obstacles]
        self.fields["overriding"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """See that who overrides something means it, and leaves nothing in the way."""
        cleaned: dict[str, Any] = super().clean() or {}
        typed = cleaned.get("name", "").strip()
        if cleaned.get("overriding") and typed != FLAG:
            self.add_error(
                "name", f"This overrides a gate: type {FLAG} to confirm that."
            )
        if "overriding" in cleaned and set(cleaned["overriding"]) < self._asked:
            self.add_error(
                "overriding",
                "Tick each of these to go on without it, or wait until it is shown.",
            )
        return cleaned

    def options(self, now: datetime) -> dict[str, Any]:
        """Return what is overridden, and the phase that is meant."""
        del now
        return {
            "overriding": self.cleaned_data.get("overriding", []),
            "to_phase": self.cleaned_data.get("phase"),
        }


FORMS: Mapping[str, type[OrderForm]] = {
    "hold": HoldForm,
    "release": ReleaseForm,
    "approve": ApproveForm,
}
