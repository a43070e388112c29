"""The write side of flag and settings: previewed, compared, recorded, revertible."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from flags import runtime, seeding, store, values
from flags.conf import FLAG, PERCENT, USE
from flags.errors import (
    Conflict,
    InvalidValue,
    NothingToChange,
    ReasonMissing,
    RolloutRefused,
    SwitchedOff,
    UnknownSetting,
)
from flags.models import Change, Rollout
from flags.runtime import Setting
from flags.values import Value

FORMAT = "oracle-chat-settings/1"
MAX_ACTOR_CHARS = 150
# What a database can't store, and what would steer the terminal of who reads it.
_NO_WORDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, and by which way. `user_id` None: no account of ours."""

    name: str
    channel: Change.Channel
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that would change. `old` is a text where that can't be used."""

    name: str
    old: Value
    new: Value
    unit: str

    def __str__(self) -> str:
        return f"{self.name}: {self.words(self.old)} → {self.words(self.new)}"

    def words(self, value: Value) -> str:
        """Return a value with its unit."""
        return f"{values.write(value)} {self.unit}".strip()


def preview(
    wanted: Mapping[str, object],
    *,
    seen: Mapping[str, object] | None = None,
    is_by_rollout: bool = False,
) -> list[Difference]:
    """Return what would change, in the order of declaration; changes nothing.

    `seen` are the values that the operator decided by, for some or all of the names.
    `is_by_rollout`: a rollout wants it itself; then the flag is its own.
    Raises: UnknownSetting, InvalidValue, Conflict, RolloutRefused.
    """
    texts = runtime.stored()
    current = {each.name: each.held(texts) for each in runtime.declared()}
    parsed = _parse(wanted)
    _require_unchanged(seen or {}, current)
    result = current | parsed
    if broken := set(runtime.broken_rules(result)) - set(runtime.broken_rules(current)):
        raise InvalidValue(" ".join(sorted(broken)))
    found = [
        Difference(each.name, old, parsed[each.name], each.unit)
        for each in runtime.declared()
        if each.name in parsed and (old := _old(each, texts)) != parsed[each.name]
    ]
    if not is_by_rollout:
        _require_own(found)
    return found


def apply(  # noqa: PLR0913 - what, who and why
    wanted: Mapping[str, object],
    *,
    actor: Actor,
    reason: str,
    seen: Mapping[str, object] | None = None,
    reverts: Change | None = None,
    is_by_rollout: bool = False,
) -> list[Change]:
    """Change all of these or none; return a record for each that differed.

    Raises: ReasonMissing, NothingToChange, and what `preview` raises.
    """
    if not reason.strip():
        raise ReasonMissing("Say why: the reason is kept with the change.")
    with transaction.atomic():
        seeding.seed()
        store.lock()
        differences = preview(wanted, seen=seen, is_by_rollout=is_by_rollout)
        if not differences:
            raise NothingToChange("Every value is already as asked: nothing changed.")
        records = [
            _record(each, actor=actor, reason=reason.strip(), reverts=reverts)
            for each in differences
        ]
    runtime.forget()
    return records


def set_percent(percent: object, *, is_enabling: bool = False) -> dict[str, object]:
    """Return the changes that bring the rollout to a percent.

    A flag that nobody has operated yet is switched on with its first percent; one that
    somebody switched off is not, unless that is asked for.

    Raises: SwitchedOff, InvalidValue.
    """
    parsed = PERCENT.parse(percent)
    wanted: dict[str, object] = {PERCENT.name: parsed}
    if runtime.current()[USE.name] or not (parsed or is_enabling):
        return wanted
    last = Change.objects.filter(name=USE.name).exclude(old="").order_by("-id").first()
    if last and not USE.parse(last.new) and not is_enabling:
        raise SwitchedOff(
            f"{USE.name} was switched off by {last.actor} at "
            f"{last.created_at:%Y-%m-%d %H:%M} UTC ({last.reason}). A percent alone "
            f"does not undo that: switch it on as well."
        )
    return {USE.name: True} | wanted


def kill(*, actor: Actor, reason: str = "") -> list[Change]:
    """Switch the feature off for everybody, now. Returns nothing when it was off.

    Reads no other setting, so nothing that is wrong with one can stand in its way.
    """
    with transaction.atomic():
        store.lock()
        if not USE.held(store.texts([USE.name])):
            return []
        off = Difference(USE.name, old=True, new=False, unit="")
        change = _record(off, actor=actor, reason=reason.strip() or "Kill switch.")
    runtime.forget()
    return [change]


def keep_off(*, actor: Actor, reason: str = "") -> None:
    """Record a kill that found it off: a rollout that waits must hear of it."""
    off = Difference(USE.name, old=False, new=False, unit="")
    with transaction.atomic():
        store.lock()
        _record(off, actor=actor, reason=reason.strip() or "Kill switch.")
    runtime.forget()


def reversal(change_id: int) -> tuple[Change, dict[str, str], dict[str, str]]:
    """Return a change, what would undo it, and the value that it must find.

    Raises: UnknownSetting, NothingToChange.
    """
    change = Change.objects.filter(pk=change_id).first()
    if change is None:
        raise UnknownSetting(f"There is no change {change_id}; see the history.")
    if not change.old:
        raise NothingToChange("This was the first value: there is none before it.")
    return change, {change.name: change.old}, {change.name: change.new}


def latest(name: str) -> Change | None:
    """Return the newest change of a setting."""
    return Change.objects.filter(name=name).order_by("-id").first()


def export() -> dict[str, Any]:
    """Return every value as a document that `read_export` takes back."""
    return {
        "format": FORMAT,
        "flag": FLAG,
        "exported_at": timezone.now().isoformat(timespec="seconds"),
        "settings": values.write_all(runtime.current()),
    }


def read_export(document: object) -> dict[str, object]:
    """Return the values of an exported document. Raises: InvalidValue."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidValue(f'This is no export of ours: "format" must be "{FORMAT}".')
    settings = document.get("settings")
    if not isinstance(settings, dict) or not settings:
        raise InvalidValue('"settings" must be an object of names and values.')
    return settings


def holder() -> Rollout | None:
    """Return the rollout that the percent is left to; None: anybody may set it.

    Before its first phase nothing is compared, so harm would not be seen.
    """
    held = Rollout.objects.filter(flag=FLAG, ended_at=None).exclude(
        state=Rollout.State.PAUSED, phase_since__isnull=False
    )
    return held.first()


def _require_own(differences: Sequence[Difference]) -> None:
    """Leave the flag to a rollout that is under way; off it may always be switched.

    Raises: RolloutRefused, saying who holds it and what to do instead.
    """
    is_of_flag = any(
        each.name == PERCENT.name or (each.name == USE.name and each.new)
        for each in differences
    )
    if is_of_flag and (rollout := holder()):
        state = rollout.get_state_display().lower()
        raise RolloutRefused(
            f"Rollout {rollout.pk}, which {rollout.started_by} started, holds the "
            f"percent: it is {state} at {rollout.percent} %. Use "
            f"`manage.py rollout advance`, `halve` or `rollback`, or `pause` it first, "
            f"once it has begun. `manage.py rollout kill` always works."
        )


def _parse(wanted: Mapping[str, object]) -> dict[str, Value]:
    """Raises: UnknownSetting; InvalidValue, with a sentence for each bad value."""
    parsed: dict[str, Value] = {}
    wrong = []
    for name, raw in wanted.items():
        try:
            parsed[name] = runtime.find(name).parse(raw)
        except InvalidValue as error:
            wrong.append(str(error))
    if wrong:
        raise InvalidValue(" ".join(wrong))
    return parsed


def _old(setting: Setting[Any], texts: Mapping[str, str]) -> Value:
    """Return what is stored; as text where that can't be used, so that it differs."""
    text = texts.get(setting.name)
    if text is None:
        held: Value = setting.held(texts)
        return held
    try:
        parsed: Value = setting.parse(text)
    except InvalidValue:
        return text
    return parsed


def _require_unchanged(
    seen: Mapping[str, object], current: Mapping[str, Value]
) -> None:
    """Raises: Conflict, naming who changed what since the operator looked."""
    found = []
    for name, raw in seen.items():
        decided_by = runtime.find(name).parse(raw)
        if decided_by == current[name]:
            continue
        shown = values.write(decided_by)
        last = latest(name)
        who = f" by {last.actor} ({last.reason})" if last else ""
        found.append(
            f"{name} was {shown} when you looked and was changed to "
            f"{values.write(current[name])}{who}."
        )
    if found:
        raise Conflict(f"{' '.join(found)} Look again, then decide.")


def _record(
    difference: Difference,
    *,
    actor: Actor,
    reason: str,
    reverts: Change | None = None,
) -> Change:
    store.put(difference.name, difference.new)
    return Change.objects.create(
        name=difference.name,
        old=values.write(difference.old),
        new=values.write(difference.new),
        actor=storable(actor.name)[:MAX_ACTOR_CHARS],
        user_id=actor.user_id,
        channel=actor.channel,
        reason=storable(reason),
        reverts=reverts,
    )


def storable(text: str) -> str:
    """Return a text that can be stored: no odd byte of it may stop a kill."""
    return _NO_WORDS.sub("\ufffd", text)
