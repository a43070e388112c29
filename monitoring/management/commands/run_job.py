"""Run a background job here and now."""

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring import jobs


class Command(BaseCommand):
    """The same function that the schedule runs, without queue or worker."""

    help = "Run one background job in the foreground."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the job's name."""
        parser.add_argument("name", help="such as chat.reap_generations")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *, name: str, **options: Any) -> None:
        """Run it and say what it did."""
        try:
            run = jobs.run(name)
        except jobs.UnknownJob as error:
            raise CommandError(str(error)) from error
        text = f"{run.name}: {run.outcome}, {run.detail}"
        self.stdout.write(
            json.dumps(dataclasses.asdict(run)) if options["json"] else text
        )
