"""Waffle's command for flags other than the one that we roll out."""

from typing import Any

from django.core.management.base import CommandError
from waffle.management.commands.waffle_flag import Command as StockCommand

from flags.conf import FLAG


class Command(StockCommand):
    """Stock, but it leaves our flag alone, and a percent that was not given."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse the flag that is rolled out: this would undo a kill, unrecorded."""
        if options["name"] == FLAG and not options["list_flags"]:
            raise CommandError(
                f"{FLAG} is rolled out by `manage.py rollout percent N --reason …` and "
                f"switched off by `manage.py rollout kill`: they keep who and why."
            )
        if options["percent"] is None:
            del options["percent"]  # our column knows no "no percent"
        elif not 0 <= options["percent"] <= 100:
            raise CommandError(f"--percent {options['percent']}: expected 0 to 100.")
        super().handle(*args, **options)
