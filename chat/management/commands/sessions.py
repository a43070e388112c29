"""Look at the live Gemini sessions of all processes, and close some."""

import json
from argparse import ArgumentParser
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction

from chat import registrations
from chat.models import Conversation
from chat.registrations import Stats


class Command(BaseCommand):
    """`sessions stats`, `sessions evict`, `sessions cleanup`."""

    help = (
        "Look at the live Gemini sessions of all processes, and close some. A closed "
        "one loses no message: its conversation's next turn recovers it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the three actions."""
        actions = parser.add_subparsers(dest="action", required=True)
        stats = actions.add_parser("stats", help="how many there are, how old, how big")
        stats.add_argument(
            "--json", action="store_true", dest="is_json", help="print JSON"
        )
        evict = actions.add_parser("evict", help="close sessions now, in every process")
        which = evict.add_mutually_exclusive_group(required=True)
        which.add_argument(
            "--oldest", type=int, metavar="N", help="the N used longest ago"
        )
        which.add_argument("--conversation", type=int, metavar="ID", help="of this one")
        which.add_argument("--all", action="store_true", dest="is_all", help="all")
        evict.add_argument(
            "--dry-run",
            action="store_true",
            dest="is_dry_run",
            help="say how many would be closed, close none",
        )
        actions.add_parser(
            "cleanup",
            help="do now what the worker does regularly: close the expired, those of "
            "dead processes, those over the maximum, and all while it is switched off",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of them."""
        try:
            getattr(self, f"_{options['action']}")(**options)
        except DatabaseError as error:
            raise CommandError(
                f"The database can't be used: {error}. Is it migrated, and does "
                f"DATABASE_URL lead to it?"
            ) from error

    def _stats(self, *, is_json: bool, **_: Any) -> None:
        stats = registrations.stats()
        if is_json:
            self.stdout.write(json.dumps(asdict(stats)))
        else:
            self.stdout.write("\n".join(_words(stats)))

    def _evict(
        self,
        *,
        oldest: int | None,
        conversation: int | None,
        is_all: bool,
        is_dry_run: bool,
        **_: Any,
    ) -> None:
        if oldest is not None and oldest < 1:
            raise CommandError(f"--oldest must be 1 or more, not {oldest}.")
        if conversation is not None and not _exists(conversation):
            raise CommandError(f"There is no conversation {conversation}.")
        # A dry run is undone; otherwise each batch is its own, and holds no lock long.
        with transaction.atomic() if is_dry_run else nullcontext():
            if is_all:
                closed = registrations.close_all()
            elif conversation is not None:
                closed = registrations.close(conversation)
            else:
                closed = registrations.evict(oldest or 0)
            left = registrations.count()
            if is_dry_run:
                transaction.set_rollback(True)
        done = "Would close" if is_dry_run else "Closed"
        self.stdout.write(f"{done} {closed} session(s); {left} left.")

    def _cleanup(self, **_: Any) -> None:
        closed = registrations.clean_up()
        self.stdout.write(f"Closed {closed} session(s); {registrations.count()} left.")


def _exists(conversation_id: int) -> bool:
    return Conversation.objects.filter(pk=conversation_id).exists()


def _words(stats: Stats) -> list[str]:
    if not stats.count:
        return [f"No live sessions (at most {stats.maximum:,})."]
    share = 100 * stats.count / stats.maximum
    return [
        f"{stats.count:,} live sessions of at most {stats.maximum:,} ({share:.0f} %), "
        f"in {stats.process_count} process(es).",
        f"Size on the wire: {stats.size_bytes:,} bytes.",
        f"Oldest: {stats.oldest_age_s:,.0f} s; longest unused: "
        f"{stats.longest_idle_s:,.0f} s.",
    ]
