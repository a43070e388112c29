"""The forms of the incident pages; what may be done is decided by the steps."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from monitoring import words
from monitoring.models import Incident, Severity
from monitoring.responding.details import ROLES, label
from monitoring.responding.steps import UNRESOLVED

_PROMISES = (
    ("", "as it is"),
    ("15", "in 15 minutes"),
    ("30", "in 30 minutes"),
    ("60", "in 1 hour"),
    ("120", "in 2 hours"),
    ("none", "no time promised"),
)


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class OpenForm(forms.Form):
    """An incident that nobody was alerted of."""

    title = forms.CharField(
        max_length=words.MAX_LINE, help_text="What is wrong, in one line."
    )
    severity = forms.ChoiceField(
        choices=Severity.choices, initial=Severity.CRITICAL, help_text="How bad it is."
    )
    impact = forms.CharField(
        required=False,
        max_length=words.MAX_TEXT,
        widget=_area(3),
        help_text="What people notice of it. It can be filled in later.",
    )
    started_at = forms.DateTimeField(
        required=False,
        label="Began at",
        help_text="In UTC; empty: now.",
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )


class UpdateForm(forms.Form):
    """A note, another status, or the promise of the next update."""

    text = forms.CharField(
        required=False,
        label="What was done or found",
        max_length=words.MAX_TEXT,
        widget=_area(3),
    )
    status = forms.ChoiceField(choices=[(s.value, s.label) for s in UNRESOLVED])
    promise = forms.ChoiceField(required=False, label="Next update", choices=_PROMISES)
    is_public = forms.BooleanField(
        required=False, label="Show the text on the public status page"
    )
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, data: Any | None = None, *, incident: Incident) -> None:
        initial = {"status": incident.status, "seen": incident.status}
        super().__init__(data, initial=initial, prefix="update")
        if not incident.is_public:
            del self.fields["is_public"]
        if incident.resolved_at:
            del self.fields["status"], self.fields["promise"]

    def clean(self) -> dict[str, Any]:
        """Refuse an update that says nothing."""
        given = self.cleaned_data
        if not (given.get("text") or self.new_status or given.get("promise")):
            raise ValidationError(
                "Write a text, or choose another status or the next update."
            )
        return given

    def again(self, incident: Incident) -> "UpdateForm":
        """Return it as it was typed, now that its person has seen the incident anew."""
        data = dict(self.data.items())
        data[self.add_prefix("seen")] = incident.status
        return UpdateForm(data, incident=incident)

    @property
    def new_status(self) -> str:
        """The status to go on to; empty where it stays."""
        wanted = str(self.cleaned_data.get("status", ""))
        return wanted if wanted != self.cleaned_data.get("seen") else ""


class EditForm(forms.Form):
    """What it is called, how bad it is, and who does what.

    It brings along what its page showed, so that nobody overwrites what they never saw.
    """

    title = forms.CharField(max_length=words.MAX_LINE, show_hidden_initial=True)
    severity = forms.ChoiceField(choices=Severity.choices, show_hidden_initial=True)
    impact = forms.CharField(
        required=False,
        max_length=words.MAX_TEXT,
        widget=_area(3),
        help_text="What people notice of it.",
        show_hidden_initial=True,
    )

    def __init__(self, data: Any | None = None, *, incident: Incident) -> None:
        names = ("title", "severity", "impact", *ROLES)
        initial = {name: getattr(incident, name) for name in names}
        super().__init__(data, initial=initial, prefix="edit")
        for role in ROLES:
            self.fields[role] = forms.CharField(
                label=label(role),
                required=False,
                max_length=words.MAX_NAME,
                show_hidden_initial=True,
            )

    def again(self, incident: Incident) -> "EditForm":
        """Return it as it was typed, now that its person has seen the incident anew."""
        data = dict(self.data.items())
        for name in self.fields:
            data[self.add_initial_prefix(name)] = getattr(incident, name)
        return EditForm(data, incident=incident)

    @property
    def edited(self) -> dict[str, str]:
        """What differs from what the page showed, by name."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    @property
    def seen(self) -> dict[str, str]:
        """What the page showed of it, by name."""
        return {
            name: self.data.get(self.add_initial_prefix(name), "").replace("\r\n", "\n")
            for name in self.changed_data
        }


class PublishForm(forms.Form):
    """How the status page begins to tell of it."""

    title = forms.CharField(
        max_length=words.MAX_LINE,
        label="Title for the public",
        help_text="In plain words, without names of machines, alerts or people.",
    )
    text = forms.CharField(
        max_length=words.MAX_TEXT, label="First public update", widget=_area(3)
    )

    def __init__(self, data: Any | None = None, *, incident: Incident) -> None:
        super().__init__(
            data, initial={"title": incident.public_title}, prefix="publish"
        )


class ResolveForm(forms.Form):
    """The last words."""

    text = forms.CharField(
        required=False,
        label="What ended it",
        max_length=words.MAX_TEXT,
        widget=_area(3),
    )
    is_public = forms.BooleanField(
        required=False, label="Show the text on the public status page"
    )

    def __init__(self, data: Any | None = None, *, incident: Incident) -> None:
        super().__init__(data)
        if not incident.is_public:
            del self.fields["is_public"]


class LetterForm(forms.Form):
    """A letter as the operator has it so far."""

    subject = forms.CharField(max_length=words.MAX_LINE)
    body = forms.CharField(
        label="Message",
        max_length=words.MAX_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 22, "class": "letter-body"}),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)
