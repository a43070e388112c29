"""What the operators' commands share: who asks, how a change is told, exit codes."""

import getpass
import json
import os
import re
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from flags import changes, runtime, values, wording
from flags.changes import Actor, Difference
from flags.errors import Conflict, FlagsError, ReasonMissing
from flags.models import Change
from flags.values import Value

EXIT_CODES = (
    "Exit codes: 0 done, or it was so already; 1 refused, the message says why and "
    "nothing was changed; 2 the command line is wrong; 3 somebody else changed it in "
    "the meantime, look again."
)
_BREAKS = re.compile("\u00a0|[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class OperatorCommand(BaseCommand):
    """A command with actions, whose expected trouble becomes words and an exit code."""

    # The kill switch must work while something else is broken.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the action that was asked for."""
        try:
            self.act(options["action"], options)
        except Conflict as error:
            raise CommandError(_plain(str(error)), returncode=3) from error
        except ReasonMissing as error:
            raise CommandError(f"{_plain(str(error))} (--reason)") from error
        except FlagsError as error:
            raise CommandError(_plain(str(error))) from error
        except DatabaseError as error:
            raise CommandError(
                f"The database can't be used, nothing was changed: {error}. Is it "
                f"migrated, and does DATABASE_URL lead to it?"
            ) from error

    def act(self, action: str, options: dict[str, Any]) -> None:
        """Do an action; its method has its name."""
        getattr(self, f"do_{action}")(**options)

    def change(
        self,
        wanted: Mapping[str, object],
        *,
        options: Mapping[str, Any],
        seen: Mapping[str, object] | None = None,
        reverts: Change | None = None,
    ) -> None:
        """Make the change, or only preview it, and tell it.

        What is told is what was changed: whoever comes between is a Conflict.
        Raises: FlagsError.
        """
        before = runtime.current()
        differences = changes.preview(wanted, seen=seen)
        if not differences:
            self._tell_nothing(options)
            return
        if not options["dry_run"]:
            changes.apply(
                wanted,
                actor=operator(),
                reason=options["reason"] or "",
                seen={name: before[name] for name in wanted},
                reverts=reverts,
            )
        self.tell(differences, before=before, options=options)

    def tell(
        self,
        differences: Sequence[Difference],
        *,
        before: Mapping[str, Value],
        options: Mapping[str, Any],
        also: Mapping[str, Any] | None = None,
    ) -> None:
        """Print old → new and what it means for conversations.

        `also` is what programs hear beside that.
        """
        effects = wording.effects(differences, before)
        is_dry_run = options.get("dry_run", False)
        if options["json"]:
            self.print_json(
                {
                    "dry_run": is_dry_run,
                    "changes": [as_json(each) for each in differences],
                    "effects": [_plain(effect) for effect in effects],
                    **(also or {}),
                }
            )
            return
        for line in [*differences, *effects]:
            self.say(str(line))
        if is_dry_run:
            self.say("Dry run: nothing was changed.")

    def say(self, text: str) -> None:
        """Print a line."""
        self.stdout.write(_plain(text))

    def print_json(self, document: object) -> None:
        """Print a document for programs."""
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))

    def _tell_nothing(self, options: Mapping[str, Any]) -> None:
        if options["json"]:
            self.tell([], before={}, options=options)
        else:
            self.say("It is so already: nothing was changed.")


def operator() -> Actor:
    """Return the user of the operating system; a number where it has no name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return Actor(name=name, channel=Change.Channel.COMMAND)


def as_json(difference: Difference) -> dict[str, str]:
    """Return a difference for programs; values as `settings set` takes them."""
    return {
        "name": difference.name,
        "old": values.write(difference.old),
        "new": values.write(difference.new),
        "unit": difference.unit,
    }


def change_as_json(change: Change) -> dict[str, object]:
    """Return a change of the history for programs."""
    return {
        "id": change.pk,
        "name": change.name,
        "old": change.old,
        "new": change.new,
        "actor": change.actor,
        "channel": change.channel,
        "reason": change.reason,
        "reverts": change.reverts_id,
        "at": change.created_at.isoformat(),
    }


def change_as_words(change: Change) -> str:
    """Return a change of the history as a line: when, who, what, why."""
    return (
        f"{change.created_at:%Y-%m-%d %H:%M} UTC  {change.actor} ({change.channel})  "
        f"{change.name}: {change.old or 'no value'} → {change.new}  {change.reason}"
    )


def add_reason(parser: ArgumentParser) -> None:
    """Take what every change takes."""
    parser.add_argument(
        "--reason", help="why; kept with the change (only a dry run needs none)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change, change nothing"
    )
    add_json(parser)


def add_json(parser: ArgumentParser) -> None:
    """Take `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def one_line(document: object) -> str:
    """Return a document for programs that read line by line."""
    return json.dumps(document, ensure_ascii=False)


def _plain(text: str) -> str:
    """Return one line, with spaces that a search on a terminal finds.

    A reason of several lines must not look like another entry.
    """
    return _BREAKS.sub(" ", text)
