"""The first values: taken from the environment once, then owned by the operators."""

from django.db import transaction

from flags import runtime, store, values
from flags.models import Change

_REASON = "The first value, from the environment or the declared default."


def seed() -> list[str]:
    """Store a value for each setting that has none; return their names.

    Safe to run at every start: what is stored is never touched.
    """
    with transaction.atomic():
        known = runtime.stored_names()
        new = [each for each in runtime.declared() if each.name not in known]
        for setting in new:
            value = setting.fallback()
            store.put(setting.name, value)
            Change.objects.create(
                name=setting.name,
                old="",
                new=values.write(value),
                actor="environment",
                channel=Change.Channel.ENVIRONMENT,
                reason=_REASON,
            )
    runtime.forget()
    return [setting.name for setting in new]
