"""What the commands with actions share: who asks, what is printed, exit codes."""

import getpass
import json
import os
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from monitoring.errors import Conflict, MonitoringError

_STEERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class ActionCommand(BaseCommand):
    """A command whose expected trouble becomes words and an exit code."""

    # It must work while something else is broken.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the action that was asked for."""
        try:
            getattr(self, f"do_{options['action']}")(**options)
        except Conflict as error:
            raise CommandError(str(error), returncode=3) from error
        except MonitoringError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"The database can't be used, nothing was changed: {error}. Is it "
                f"migrated, and does DATABASE_URL lead to it?"
            ) from error

    def say(self, text: str) -> None:
        """Print one line, whatever people wrote into it."""
        self.stdout.write(_STEERS.sub(" ", text.replace("\n", " / ")))

    def print_json(self, document: object) -> None:
        """Print it for programs."""
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))


def operator() -> str:
    """Return the user of the operating system; a number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
