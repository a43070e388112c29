"""Say what a period was like."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from django.utils import timezone

from monitoring.models import Report
from monitoring.reporting import periods, storing, text
from monitoring.reporting.periods import InvalidPeriod, Window

_WRONG = 2


class Command(BaseCommand):
    """The same reports as the admin's pages, also of periods that none was made of."""

    help = (
        "Report on a quarter, an hour or a day beside the one before: the stored "
        "report if there is one, otherwise it is computed now. Exit code: 0 printed, "
        "1 the database does not answer, 2 no such period, or it is not over yet."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the period and the form."""
        parser.add_argument("--period", choices=periods.PERIODS, default=periods.DAY)
        parser.add_argument(
            "--begin",
            metavar="TIME",
            help="such as 2026-11-25T00:00Z; the last one that is over unless given",
        )
        parser.add_argument("--format", choices=["md", "json"], default="md")
        parser.add_argument(
            "--refresh", action="store_true", help="compute it again; keep what is kept"
        )
        parser.add_argument("--store", action="store_true", help="keep it, too")

    def handle(self, **options: Any) -> None:
        """Print it."""
        try:
            report = self._report(options)
        except InvalidPeriod as error:
            raise CommandError(str(error), returncode=_WRONG) from error
        except Error as error:
            kind = type(error).__name__
            raise CommandError(f"The database does not answer: {kind}.") from error
        if options["format"] == "json":
            self.stdout.write(json.dumps(report.body, indent=2, ensure_ascii=False))
        else:
            self.stdout.write(text.markdown(report.body), ending="")

    def _report(self, options: dict[str, Any]) -> Report:
        now = timezone.now()
        window = self._window(options)
        stored = None if options["refresh"] else storing.find(window)
        if stored is not None:
            return stored
        if options["store"]:
            return storing.store(window, now)
        return storing.compute(window, now)

    def _window(self, options: dict[str, Any]) -> Window:
        now, period = timezone.now(), options["period"]
        if options["begin"]:
            return periods.parsed(period, options["begin"], now)
        return periods.last(period, now)
