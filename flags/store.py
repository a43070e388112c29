"""Where the values are kept: the flag, waffle's switches, and rows of our own.

Its functions expect the caller's transaction.
"""

from collections.abc import Iterable
from typing import Any

from waffle.models import Switch

from flags import values
from flags.conf import FLAG, PERCENT, USE
from flags.models import Flag, RuntimeSetting
from flags.values import Value


def texts(names: Iterable[str]) -> dict[str, str]:
    """Return the stored values of these names, as text."""
    wanted = set(names)
    found = dict(RuntimeSetting.objects.values_list("name", "value"))
    for name, is_active in Switch.objects.values_list("name", "active"):
        found[name] = values.write(bool(is_active))
    for everyone, percent in Flag.objects.filter(name=FLAG).values_list(
        "everyone", "percent"
    ):
        found[USE.name] = values.write(everyone is not False)
        found[PERCENT.name] = values.write(percent)
    return {name: text for name, text in found.items() if name in wanted}


def lock() -> None:
    """Let one change at a time happen; the flag's row is everybody's lock.

    SQLite has taken its only lock when the transaction began.
    """
    Flag.objects.select_for_update().get_or_create(
        name=FLAG, defaults={"everyone": False}
    )


def put(name: str, value: Value) -> None:
    """Store a value, whatever it is kept as."""
    kept: dict[str, Any] = {}
    if name == USE.name:
        kept = {"everyone": None if value else False}
    elif name == PERCENT.name:
        kept = {"percent": value}
    if kept:
        flag = Flag.objects.get_or_create(name=FLAG, defaults={"everyone": False})[0]
        for field, held in kept.items():
            setattr(flag, field, held)
        flag.save(update_fields=[*kept, "modified"])
    elif isinstance(value, bool):
        Switch.objects.update_or_create(name=name, defaults={"active": value})
    else:
        RuntimeSetting.objects.update_or_create(
            name=name, defaults={"value": values.write(value)}
        )
