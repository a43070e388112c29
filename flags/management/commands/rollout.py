"""Widen, shrink, kill and look at the rollout of persistent sessions."""

from typing import Any

from django.core.management.base import CommandParser

from flags import console
from flags.verbs.table import VERBS


class Command(console.OperatorCommand):
    """`rollout status`, `rollout kill` and the other verbs, each in its own module."""

    help = "Decide how many conversations get persistent sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs."""
        parser.epilog = console.EXIT_CODES
        actions = parser.add_subparsers(dest="action", required=True, metavar="VERB")
        for name, verb in VERBS.items():
            verb.doing.add_arguments(
                actions.add_parser(name, help=verb.help, epilog=verb.exit_codes)
            )

    def act(self, action: str, options: dict[str, Any]) -> None:
        """Do a verb."""
        VERBS[action].doing.run(self, **options)
