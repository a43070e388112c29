"""Where the values are kept: the flag, waffle's switches, and rows of our own.

Its functions expect the caller's transaction.
"""

from collections.abc import Iterable

from waffle.models import Switch

from flags import evaluation, values
from flags.conf import FLAG, PERCENT, USE
from flags.models import Flag, RuntimeSetting
from flags.values import Value


def texts(names: Iterable[str]) -> dict[str, str]:
    """Return the stored values of these names, as text."""
    found = dict(RuntimeSetting.objects.values_list("name", "value"))
    for name, is_active in Switch.objects.values_list("name", "active"):
        found[name] = values.write(bool(is_active))
    found |= _flag_texts()
    wanted = set(names)
    return {name: text for name, text in found.items() if name in wanted}


def lost(names: Iterable[str]) -> list[str]:
    """Return those of these names that no row keeps a value for."""
    kept = {
        *RuntimeSetting.objects.values_list("name", flat=True),
        *Switch.objects.values_list("name", flat=True),
    }
    if has_flag():
        kept |= {USE.name, PERCENT.name}
    return [name for name in names if name not in kept]


def has_flag() -> bool:
    """Tell whether the flag has its row."""
    return Flag.objects.filter(name=FLAG).exists()


def lock() -> None:
    """Let one change at a time happen; the flag's row is everybody's lock.

    SQLite has taken its only lock when the transaction began.
    """
    Flag.objects.select_for_update().get_or_create(
        name=FLAG, defaults={"everyone": False}
    )


def put(name: str, value: Value) -> None:
    """Store a value, whatever it is kept as."""
    if name in {USE.name, PERCENT.name}:
        _put_flag(name, value)
    elif isinstance(value, bool):
        Switch.objects.update_or_create(name=name, defaults={"active": value})
    else:
        RuntimeSetting.objects.update_or_create(
            name=name, defaults={"value": values.write(value)}
        )


def _flag_texts() -> dict[str, str]:
    """Say what `evaluate` decides by, so that words and deeds can't differ."""
    state = evaluation.state(FLAG)
    if state is None:
        return {USE.name: values.write(value=False), PERCENT.name: "0"}
    return {
        USE.name: values.write(state.is_on),
        PERCENT.name: values.write(state.percent),
    }


def _put_flag(name: str, value: Value) -> None:
    flag, _ = Flag.objects.get_or_create(name=FLAG, defaults={"everyone": False})
    if name == USE.name:
        flag.everyone = None if value else False
    else:
        flag.percent = value
        flag.everyone = None if flag.everyone else flag.everyone
    flag.save(update_fields=["everyone", "percent", "modified"])
