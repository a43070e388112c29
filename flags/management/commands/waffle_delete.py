"""Waffle's command that deletes, for what is not ours."""

from typing import Any

from django.core.management.base import CommandError
from waffle.management.commands.waffle_delete import Command as StockCommand

from flags import runtime
from flags.conf import FLAG


class Command(StockCommand):
    """Stock, but it deletes neither the flag that is rolled out nor a setting."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse what we read; of the rest of the list nothing is deleted either."""
        declared = {setting.name for setting in runtime.declared()}
        ours = {FLAG} & set(options["flag_names"] or [])
        ours |= declared & set(options["switch_names"] or [])
        if ours:
            raise CommandError(
                f"{', '.join(sorted(ours))} can't be deleted: it is in use. Switch it "
                f"off with `manage.py rollout kill`, or see `manage.py settings list`."
            )
        super().handle(*args, **options)
