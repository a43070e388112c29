"""Run a Gemini-compatible server on this machine."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat.local_gemini import options, server
from chat.local_gemini.errors import BrainUnavailable


class Command(BaseCommand):
    """The same as `python -m chat.local_gemini`."""

    help = "Run a Gemini-compatible server on this machine; it needs no API key."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the server's own options."""
        options.add_arguments(parser)

    def handle(self, *_args: Any, **given: Any) -> None:
        """Serve until told to stop."""
        try:
            server.run(options.from_namespace(argparse.Namespace(**given)))
        except BrainUnavailable as error:
            raise CommandError(str(error)) from error
