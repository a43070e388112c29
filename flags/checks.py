"""System checks of flag and settings."""

from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from flags import runtime, store, values
from flags.conf import FLAG, PERCENT, USE
from flags.errors import InvalidValue
from flags.models import Flag


@register("flags", deploy=True)
def stored_values(**_: Any) -> list[CheckMessage]:
    """See that what is stored can be used and that the environment agrees with it."""
    return [*_flag_row(), *_unusable(), *_disagreements()]


def _flag_row() -> list[CheckMessage]:
    if Flag.objects.filter(name=FLAG).exists():
        return []
    return [
        Error(
            f"The flag {FLAG!r} has no row: nobody gets persistent sessions.",
            hint="Run `manage.py migrate`, which makes it.",
            id="flags.E001",
        )
    ]


def _unusable() -> list[CheckMessage]:
    """Hold each stored value against its range, and all of them against the rules."""
    found: list[str] = []
    for name, text in store.texts(each.name for each in runtime.declared()).items():
        try:
            runtime.find(name).parse(text)
        except InvalidValue as error:
            found.append(str(error))
    if not found:
        found = runtime.broken_rules(runtime.current())
    return [
        Error(words, hint="`manage.py settings set NAME VALUE`.", id="flags.E002")
        for words in found
    ]


def _disagreements() -> list[CheckMessage]:
    stored = store.texts(each.name for each in runtime.declared())
    return [
        Warning(
            f"{setting.name} is {values.write(given)} in the environment and "
            f"{stored[setting.name]} in the database, which is what holds.",
            hint="The environment counts at the first start only: take the variable "
            f"out, or run `manage.py settings set {setting.name} …`.",
            id="flags.W001",
        )
        for setting in runtime.declared()
        if (given := setting.in_environment()) is not None
        and setting.name in stored
        and values.write(given) != stored[setting.name]
    ]


@register("flags", deploy=True)
def percent_without_effect(**_: Any) -> list[CheckMessage]:
    """Notice a percent that is set while the feature is off."""
    current = runtime.current()
    if current[USE.name] or not current[PERCENT.name]:
        return []
    return [
        Warning(
            f"{PERCENT.name} is {current[PERCENT.name]} and {USE.name} is false: "
            f"nobody gets persistent sessions.",
            hint="`manage.py rollout percent N --enable`, or set the percent to 0.",
            id="flags.W002",
        )
    ]
