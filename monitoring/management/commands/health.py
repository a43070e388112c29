"""Look at everything that can be wrong, from a shell."""

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from monitoring import probing
from monitoring.registry import STATES


class Command(BaseCommand):
    """The same checks as `/api/v1/monitoring/health/detailed`, run in this process."""

    help = (
        "Run every health check. Exit code: 0 all healthy, 1 something degraded, "
        "2 something unhealthy."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the form of the answer."""
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        """Print a line for each check; leave with the code of the worst."""
        found = probing.findings()
        status = probing.worst(finding.status for finding in found)
        if options["json"]:
            checks = {each.name: dataclasses.asdict(each) for each in found}
            self.stdout.write(json.dumps({"status": status, "checks": checks}))
        else:
            self._table(found, status)
        raise SystemExit(STATES.index(status))

    def _table(self, found: list[probing.Finding], status: str) -> None:
        for each in found:
            self.stdout.write(
                f"{each.name:<15} {each.status:<10} {each.took_ms:>7.1f} ms  "
                f"{each.sentence}"
            )
            if each.status != STATES[0]:
                self.stdout.write(f"{'':<15} see {each.runbook}")
        self.stdout.write(f"{'together':<15} {status}")
