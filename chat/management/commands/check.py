"""Django's `check`, which asks the model's server when `--tag gemini` is given."""

from typing import Any

from django.core.management.commands.check import Command as StockCommand

from chat import checks


class Command(StockCommand):
    """Stock, with one check more that is run by its tag only."""

    def handle(self, *app_labels: Any, **options: Any) -> None:
        """Run the checks that were asked for."""
        if options["list_tags"] or checks.TAG in (options["tags"] or []):
            with checks.registered():
                super().handle(*app_labels, **options)
        else:
            super().handle(*app_labels, **options)
