"""System checks of flag and settings; `manage.py check --deploy` runs them."""

from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register
from django.db import DatabaseError

from flags import runtime, store, values
from flags.conf import FLAG, PERCENT, USE


@register("flags", deploy=True)
def stored_values(**_: Any) -> list[CheckMessage]:
    """See that what is stored can be used and that the environment agrees with it."""
    try:
        return [
            *_missing_row(),
            *_unusable(),
            *_disagreements(),
            *_percent_without_effect(),
        ]
    except DatabaseError as error:
        return [
            Error(
                f"Flag and settings can't be read: {error}",
                hint="Run `manage.py migrate`; does DATABASE_URL lead to the database?",
                id="flags.E003",
            )
        ]


def _missing_row() -> list[CheckMessage]:
    if store.has_flag():
        return []
    return [
        Error(
            f"The flag {FLAG!r} has no row: nobody gets persistent sessions.",
            hint="Run `manage.py migrate`, which makes it, switched off.",
            id="flags.E001",
        )
    ]


def _unusable() -> list[CheckMessage]:
    """Hold each stored value against its range, and all of them against the rules."""
    found = list(runtime.unusable(runtime.stored()).values())
    found = found or runtime.broken_rules(runtime.current())
    return [
        Error(
            words,
            hint="`manage.py settings set NAME VALUE --reason …`.",
            id="flags.E002",
        )
        for words in found
    ]


def _disagreements() -> list[CheckMessage]:
    current = runtime.current()
    return [
        Warning(
            f"{setting.name} is {values.write(given)} in the environment and "
            f"{values.write(current[setting.name])} in the database, which is what "
            f"holds.",
            hint="The environment counts at the first start only: take the variable "
            f"out, or run `manage.py settings set {setting.name} …`.",
            id="flags.W001",
        )
        for setting in runtime.declared()
        if (given := setting.in_environment()) is not None
        and given != current[setting.name]
    ]


def _percent_without_effect() -> list[CheckMessage]:
    """Notice a percent that is set while the feature is off."""
    current = runtime.current()
    if current[USE.name] or not current[PERCENT.name]:
        return []
    return [
        Warning(
            f"{PERCENT.name} is {values.write(current[PERCENT.name])} and {USE.name} "
            f"is false: nobody gets persistent sessions.",
            hint="`manage.py rollout percent N --enable --reason …`, or set it to 0.",
            id="flags.W002",
        )
    ]
