"""What the control page shows: the state in words, what was measured, what is set."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from django.db.models import Max
from django.forms import BoundField, Form

from flags import evaluation, runtime, values, wording
from flags.changes import Difference
from flags.conf import FLAG, PERCENT, USE
from flags.models import Change
from flags.runtime import Setting
from flags.values import Value
from flags.wishes import Wish

Latest: TypeAlias = Mapping[str, Change]

ROLLOUT = (USE.name, PERCENT.name)


@dataclass(frozen=True, slots=True)
class Standing:
    """The flag as it stands: "Persistent sessions are `word` `rest`".

    `verb` and `last` say who made it so; `last` None: nobody has yet.
    """

    is_on: bool
    percent: str
    word: str
    rest: str
    verb: str
    last: Change | None


@dataclass(frozen=True, slots=True)
class Row:
    """A setting beside its value."""

    setting: Setting[Any]
    held: Value
    last: Change | None
    field: BoundField | None = None

    @property
    def label(self) -> str:
        """Its name as a person would write it."""
        return wording.label(self.setting.name)

    @property
    def now(self) -> str:
        """The value that holds."""
        return wording.value(self.setting, self.held)

    @property
    def default(self) -> str:
        """The declared default."""
        return wording.value(self.setting, self.setting.default)

    @property
    def is_default(self) -> bool:
        """Whether it holds the declared default."""
        return bool(self.held == self.setting.default)

    @property
    def range(self) -> str:
        """What it may be."""
        is_switch = isinstance(self.setting.default, bool)
        return "on or off" if is_switch else self.setting.kind.words

    @property
    def is_edited(self) -> bool:
        """Whether the field holds something else, not saved yet."""
        if self.field is None:
            return False
        return bool(str(self.field.value()) != values.write(self.held))

    @property
    def environment(self) -> str:
        """What the environment says; empty where it agrees or is silent."""
        given = self.setting.in_environment()
        if given is None or given == self.held:
            return ""
        return wording.value(self.setting, given)


@dataclass(frozen=True, slots=True)
class Step:
    """A change to come, in words."""

    difference: Difference

    @property
    def setting(self) -> Setting[Any]:
        """What would change."""
        return runtime.find(self.difference.name)

    @property
    def label(self) -> str:
        """Its name as a person would write it."""
        return wording.label(self.difference.name)

    @property
    def old(self) -> str:
        """The value that is stored; a text where that can't be used."""
        return wording.text(self.difference.name, values.write(self.difference.old))

    @property
    def new(self) -> str:
        """The value that would hold."""
        return wording.value(self.setting, self.difference.new)


@dataclass(frozen=True, slots=True)
class Collision:
    """A value that somebody changed while an operator made up their mind."""

    label: str
    seen: str
    now: str
    wanted: str
    last: Change | None


def standing(current: Mapping[str, Value], last: Latest) -> Standing:
    """Return the flag as it stands, by these values and the latest changes."""
    is_on = bool(current[USE.name])
    made_by = newest(last, *(ROLLOUT if is_on else (USE.name,)))
    if made_by and made_by.channel == Change.Channel.ENVIRONMENT:
        made_by = None  # the first start: nobody did it
    return Standing(
        is_on=is_on,
        percent=wording.value(PERCENT, current[PERCENT.name]),
        word="ON" if is_on else "OFF",
        rest=_for_whom(current),
        verb=_verb(made_by),
        last=made_by,
    )


def rollout(current: Mapping[str, Value], last: Latest) -> list[Row]:
    """Return the two settings that are the flag itself."""
    return [Row(runtime.find(name), current[name], last.get(name)) for name in ROLLOUT]


def groups(
    current: Mapping[str, Value], last: Latest, form: Form
) -> dict[str, list[Row]]:
    """Return all other settings with their fields, by group."""
    found: dict[str, list[Row]] = {}
    for setting in runtime.declared():
        name = setting.name
        if name not in ROLLOUT:
            row = Row(setting, current[name], last.get(name), form[name])
            found.setdefault(setting.group, []).append(row)
    return found


def latest_changes() -> Latest:
    """Return the newest change of each setting, by name; one query."""
    newest = Change.objects.values("name").annotate(newest=Max("id")).values("newest")
    return {change.name: change for change in Change.objects.filter(pk__in=newest)}


def newest(last: Latest, *names: str) -> Change | None:
    """Return the newest change of these settings."""
    told = [last[name] for name in names if name in last]
    return max(told, key=lambda change: change.pk, default=None)


def collisions(wish: Wish, current: Mapping[str, Value]) -> list[Collision]:
    """Return what was changed since the operator who has this wish looked."""
    last = latest_changes()
    return [
        Collision(
            label=wording.label(name),
            seen=wording.text(name, raw),
            now=wording.value(runtime.find(name), current[name]),
            wanted=wording.text(name, wish.wanted.get(name, raw)),
            last=last.get(name),
        )
        for name, raw in wish.seen.items()
        if runtime.find(name).parse(raw) != current[name]
    ]


def _for_whom(current: Mapping[str, Value]) -> str:
    percent = Decimal(current[PERCENT.name])
    words = wording.value(PERCENT, percent)
    if evaluation.state(FLAG) is None:
        return "because the flag has no row in the database; any change makes it anew"
    if not current[USE.name]:
        return ""
    if percent == 100:
        return "for all conversations"
    return f"for {words} of conversations" if percent else f"at {words}: nobody has one"


def _verb(change: Change | None) -> str:
    if change is None:
        return ""
    if change.name == PERCENT.name:
        return f"Set to {wording.text(change.name, change.new)}"
    return "Switched on" if USE.parse(change.new) else "Switched off"
