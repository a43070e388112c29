"""Waffle's command for switches other than our settings."""

from typing import Any

from django.core.management.base import CommandError
from waffle.management.commands.waffle_switch import Command as StockCommand

from flags import runtime


class Command(StockCommand):
    """Stock, but it changes no setting."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse a switch that keeps one of our settings."""
        name = options["name"]
        is_ours = name in {setting.name for setting in runtime.declared()}
        if is_ours and not options["list_switches"]:
            raise CommandError(
                f"{name} is changed by `manage.py settings set {name} true|false "
                f"--reason …`, which keeps who and why."
            )
        super().handle(*args, **options)
