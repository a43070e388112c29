"""Runtime settings: declared by whoever reads them, owned by the operators.

A value is looked for in the database, then in the environment, then it is the declared
default. Reading costs three queries every two seconds and nothing in between; other
processes follow within those two seconds.
"""

import difflib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import Any, Generic, TypeAlias, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import autodiscover_modules

from flags import values
from flags.errors import InvalidValue, UnknownSetting
from flags.values import Kind, Value

T = TypeVar("T", bool, int, Decimal, str)
Rule: TypeAlias = Callable[[Mapping[str, Any]], str | None]

LEASE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """One thing an operator may change on a Tuesday, without a restart."""

    name: str
    kind: Kind[T]
    default: T
    unit: str
    group: str
    help: str

    def get(self) -> T:
        """Return the value that holds now, at most two seconds old.

        May query the database: call it on a database thread.
        """
        return self.held(_snapshot())

    def held(self, stored: Mapping[str, str]) -> T:
        """Return the stored value; the fallback where there is none or a bad one.

        A bad one is named by `manage.py check --deploy`; it must not stop the service.
        """
        try:
            return self.parse(stored[self.name])
        except (KeyError, InvalidValue):
            return self.fallback()

    def parse(self, raw: object) -> T:
        """Return a value of this setting. Raises: InvalidValue."""
        return values.read(self.name, self.kind, raw)

    def in_environment(self) -> T | None:
        """Return what the environment says; None where it is silent.

        Raises: InvalidValue.
        """
        raw = os.environ.get(self.name, "").strip()
        return self.parse(raw) if raw else None

    def fallback(self) -> T:
        """Return what holds while nothing is stored. Raises: InvalidValue."""
        given = self.in_environment()
        return self.default if given is None else given


_settings: dict[str, Setting[Any]] = {}
_rules: list[Rule] = []
_epoch = object()  # until the next `forget`
_read: tuple[object, float, dict[str, str]] = (None, 0.0, {})


def flag(name: str, *, default: bool, group: str, help: str) -> Setting[bool]:
    """Declare a yes/no setting; it is kept as a waffle switch."""
    return _declare(
        Setting(
            name=name,
            kind=values.flag(),
            default=default,
            unit="",
            group=group,
            help=help,
        )
    )


def integer(  # noqa: PLR0913 - all that is said about one
    name: str,
    *,
    default: int,
    minimum: int,
    maximum: int,
    unit: str,
    group: str,
    help: str,
) -> Setting[int]:
    """Declare a whole number within bounds."""
    kind = values.whole(minimum=minimum, maximum=maximum, unit=unit)
    return _declare(
        Setting(
            name=name, kind=kind, default=default, unit=unit, group=group, help=help
        )
    )


def number(  # noqa: PLR0913 - all that is said about one
    name: str,
    *,
    default: Decimal,
    minimum: int,
    maximum: int,
    unit: str,
    group: str,
    help: str,
) -> Setting[Decimal]:
    """Declare a number with two decimals within bounds."""
    kind = values.decimal(minimum=minimum, maximum=maximum, places=2)
    return _declare(
        Setting(
            name=name, kind=kind, default=default, unit=unit, group=group, help=help
        )
    )


def choice(
    name: str, *, default: str, of: tuple[str, ...], group: str, help: str
) -> Setting[str]:
    """Declare a choice of a few words."""
    kind = values.choice(*of)
    return _declare(
        Setting(name=name, kind=kind, default=default, unit="", group=group, help=help)
    )


def rule(check: Rule) -> Rule:
    """Add a rule over several settings: it says what is wrong, or None.

    It is given every setting's value by name.
    """
    _rules.append(check)
    return check


def find(name: str) -> Setting[Any]:
    """Return a declared setting. Raises: UnknownSetting."""
    if name in _settings:
        return _settings[name]
    near = difflib.get_close_matches(name.upper(), _settings, cutoff=0.5)
    words = (
        f"Did you mean {' or '.join(near)}?"
        if near
        else f"There are: {', '.join(sorted(_settings))}."
    )
    raise UnknownSetting(f"There is no setting {name!r}. {words}")


def declared() -> list[Setting[Any]]:
    """Return every setting, in the order of declaration."""
    return list(_settings.values())


def current() -> dict[str, Value]:
    """Return every setting's value as it is in the database at this moment."""
    texts = stored()
    return {setting.name: setting.held(texts) for setting in declared()}


def stored() -> dict[str, str]:
    """Return the texts that the database has at this moment, usable or not.

    Without its row the flag is off at 0 %: that is no matter of the environment.
    """
    from flags import store  # models, which exist only once the apps are loaded

    return store.texts(_settings)


def unusable(texts: Mapping[str, str]) -> dict[str, str]:
    """Return a sentence for each stored text that is no value of its setting."""
    found = {}
    for name, text in texts.items():
        try:
            find(name).parse(text)
        except InvalidValue as error:
            found[name] = str(error)
    return found


def broken_rules(given: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each rule that these values break; all must be given."""
    return [words for check in _rules if (words := check(given)) is not None]


def forget() -> None:
    """Read anew at the next use: something was changed by this process."""
    global _epoch  # noqa: PLW0603 - one per process
    _epoch = object()


def discover() -> None:
    """Let every app declare its settings and hold the environment against them.

    Raises: ImproperlyConfigured for a bad value, so that it stops the start.
    """
    import_module("flags.conf")  # the rollout stands first
    autodiscover_modules("conf")
    try:
        given = {setting.name: setting.fallback() for setting in declared()}
    except InvalidValue as error:
        raise ImproperlyConfigured(str(error)) from error
    if broken := broken_rules(given):
        raise ImproperlyConfigured(" ".join(broken))


def _declare(setting: Setting[T]) -> Setting[T]:
    if setting.name in _settings:
        raise ImproperlyConfigured(f"{setting.name} is declared twice.")
    _settings[setting.name] = setting
    return setting


def _snapshot() -> Mapping[str, str]:
    """Return the stored values, read at most `LEASE_S` ago.

    What a thread was still reading when they were forgotten is of an epoch that is
    over, so nobody else gets it.
    """
    global _read  # noqa: PLW0603 - one snapshot per process
    now, epoch = time.monotonic(), _epoch
    kept = _read
    if kept[0] is not epoch or now - kept[1] >= LEASE_S:
        kept = _read = (epoch, now, stored())
    return kept[2]
