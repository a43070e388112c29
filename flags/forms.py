"""The control page's forms: every value is held against its declaration."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from flags import changes, runtime, values, wishes, wording
from flags.conf import PERCENT, USE
from flags.control import ROLLOUT
from flags.errors import FlagsError, InvalidValue, SwitchedOff
from flags.runtime import Setting
from flags.values import Value
from flags.wishes import Wish

QUICK_PERCENTS = ("0", "1", "10", "25", "50", "75", "100")
_MAX_DOCUMENT_BYTES = 65_536
_ON_OFF = (("true", "On"), ("false", "Off"))


def _widget(setting: Setting[Any]) -> forms.Widget:
    if isinstance(setting.default, bool):
        return forms.Select(choices=_ON_OFF)
    if setting.kind.options:
        return forms.Select(choices=[(word, word) for word in setting.kind.options])
    mode = "numeric" if isinstance(setting.default, int) else "decimal"
    return forms.TextInput(
        attrs={"inputmode": mode, "autocomplete": "off", "spellcheck": "false"}
    )


class SettingField(forms.Field):
    """A setting's value as the operator types it."""

    def __init__(self, setting: Setting[Any]) -> None:
        super().__init__(
            label=wording.label(setting.name),
            help_text=setting.help,
            widget=_widget(setting),
        )
        self.setting = setting

    def clean(self, value: object) -> Value:
        """Return the typed value. Raises: ValidationError."""
        try:
            held: Value = self.setting.parse("" if value is None else value)
        except InvalidValue as error:
            raise ValidationError(str(error)) from error
        return held


class SeenForm(forms.Form):
    """A form that brings along the values that its page showed, as text by name."""

    seen = forms.CharField()

    def clean_seen(self) -> dict[str, str]:
        """Return the values. Raises: SuspiciousOperation."""
        return wishes.read_seen(self.cleaned_data["seen"])


class PercentForm(SeenForm):
    """How many get it. A quick choice stands for what is typed."""

    percent = SettingField(PERCENT)
    is_enabling = forms.BooleanField(
        required=False, label="Switch persistent sessions on as well"
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        initial: dict[str, Any] | None = None,
    ) -> None:
        if data and "quick" in data:
            data = dict(data.items()) | {"percent": data["quick"]}
        super().__init__(data, initial=initial, auto_id="rollout_%s")

    def clean(self) -> dict[str, Any]:
        """Find what has to change; a percent does not undo somebody's switching off."""
        given = self.cleaned_data
        if self.errors:
            return given
        percent, is_enabling = given["percent"], given["is_enabling"]
        wanted: dict[str, object] = {PERCENT.name: percent}
        try:
            wanted = changes.set_percent(percent, is_enabling=is_enabling)
        except SwitchedOff as error:
            # Where the page showed it on, this is the conflict that is found later.
            if not USE.parse(given["seen"][USE.name]):
                self.add_error("is_enabling", str(error))
        if is_enabling:
            wanted[USE.name] = True
        return given | {"wanted": wanted}

    def wish(self) -> Wish:
        """Return what a valid form asks for."""
        seen = self.cleaned_data["seen"]
        return Wish(
            wanted=values.write_all(self.cleaned_data["wanted"]),
            seen={name: seen[name] for name in ROLLOUT},
            origin="control",
        )


class SettingsForm(SeenForm):
    """All settings but the rollout's own."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        for setting in runtime.declared():
            if setting.name not in ROLLOUT:
                self.fields[setting.name] = SettingField(setting)

    def clean(self) -> dict[str, Any]:
        """Hold the values that were edited against the rules over several of them."""
        if self.errors:
            return self.cleaned_data
        try:
            changes.preview(self._edited())
        except InvalidValue as error:
            self._add_broken_rules(str(error))
        return self.cleaned_data

    def wish(self) -> Wish:
        """Return what a valid form asks for: what differs from what the page showed."""
        wanted, seen = self._edited(), self.cleaned_data["seen"]
        return Wish(
            wanted=values.write_all(wanted),
            seen={name: seen[name] for name in wanted},
            origin="control",
        )

    def _edited(self) -> dict[str, Value]:
        given = self.cleaned_data
        return {
            name: given[name]
            for name, raw in given["seen"].items()
            if name in given and runtime.find(name).parse(raw) != given[name]
        }

    def _add_broken_rules(self, words: str) -> None:
        """Say it beside each edited field that it names."""
        named: list[str | None] = [name for name in self._edited() if name in words]
        for name in named or [None]:
            self.add_error(name, words)


class ReasonForm(forms.Form):
    """The confirmation: a wish and why."""

    wish = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The next operator reads it in the history.",
        error_messages={"required": "Say why: the reason is kept with the change."},
    )


class KillForm(forms.Form):
    """The kill switch needs no reason, and none is too long for it."""

    reason = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))


class ImportForm(forms.Form):
    """An exported document, as a file or pasted."""

    file = forms.FileField(
        required=False,
        label="File",
        help_text="A JSON file that was exported here or by the settings command.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    document = forms.CharField(
        required=False,
        label="Or paste its text",
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
    )

    def clean_file(self) -> UploadedFile | None:
        """Refuse a file that can't be one of ours."""
        file: UploadedFile | None = self.cleaned_data["file"]
        if file and (file.size or 0) > _MAX_DOCUMENT_BYTES:
            raise ValidationError("An export is never this large.")
        return file

    def clean(self) -> dict[str, Any]:
        """Read the document; say for each setting what is wrong with it."""
        given = self.cleaned_data
        if self.errors:
            return given
        if bool(given["file"]) == bool(given["document"].strip()):
            raise ValidationError("Choose a file or paste its text: one of the two.")
        raw = given["file"].read() if given["file"] else given["document"]
        return given | {"wanted": _values(_settings(raw))}

    def wish(self) -> Wish:
        """Return what a valid form asks for, compared with what holds now."""
        wanted = self.cleaned_data["wanted"]
        current = values.write_all(runtime.current())
        return Wish(
            wanted=values.write_all(wanted),
            seen={name: current[name] for name in wanted},
            origin="import",
        )


def as_document(wanted: Mapping[str, str]) -> str:
    """Return values as a text that `ImportForm` reads."""
    document = {"format": changes.FORMAT, "settings": dict(wanted)}
    return json.dumps(document, indent=2)


def _settings(raw: str | bytes) -> dict[str, object]:
    try:
        return changes.read_export(json.loads(raw))
    except InvalidValue as error:
        raise ValidationError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"This is not JSON: {error}.") from error


def _values(given: Mapping[str, object]) -> dict[str, Value]:
    wanted: dict[str, Value] = {}
    wrong = []
    for name, raw in given.items():
        try:
            wanted[name] = runtime.find(name).parse(raw)
        except FlagsError as error:
            wrong.append(str(error))
    if wrong:
        raise ValidationError(wrong)
    try:
        changes.preview(wanted)
    except InvalidValue as error:
        raise ValidationError(str(error)) from error
    return wanted
