"""The first values: taken from the environment once, then owned by the operators."""

from django.db import transaction

from flags import runtime, store, values
from flags.models import Change
from flags.values import Value

_FIRST = "The first value, from the environment or the declared default."
_LOST = "Its row was gone: made anew with the value that held without it."


def seed() -> list[str]:
    """Store a value for each setting that has none; return their names.

    Safe to run at every start: what is stored is never touched. The environment is
    asked once only, so a flag whose row was lost comes back off, whatever it says.
    """
    with transaction.atomic():
        names = store.lost(each.name for each in runtime.declared())
        holding = runtime.current()
        seeded = set(
            Change.objects.filter(name__in=names).values_list("name", flat=True)
        )
        for name in names:
            if name in seeded:
                _make(name, holding[name], Change.Channel.AUTOMATION, _LOST)
            else:
                first = runtime.find(name).fallback()
                _make(name, first, Change.Channel.ENVIRONMENT, _FIRST)
    runtime.forget()
    return names


def _make(name: str, value: Value, channel: Change.Channel, reason: str) -> None:
    store.put(name, value)
    Change.objects.create(
        name=name,
        old="",
        new=values.write(value),
        actor=channel.value,
        channel=channel,
        reason=reason,
    )
