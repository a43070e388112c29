"""Open incidents, work on them and look at them, from a shell."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from monitoring import incidents
from monitoring.console import ActionCommand, operator
from monitoring.models import Incident, Severity
from monitoring.responding import documents, durations, postmortem, records, timeline
from monitoring.responding.details import ROLES
from monitoring.responding.steps import UNRESOLVED
from monitoring.wording import counted

_EXIT_CODES = (
    "Exit codes: 0 done; 1 refused, the message says why and nothing was changed; "
    "2 the command line is wrong; 3 somebody was first, look again."
)
_MOST_LISTED = 100


class Command(ActionCommand):
    """`incident open`, `ack`, `note`, `status`, `assign`, `resolve`, `list`, `show`…"""

    help = "Open incidents, work on them and look at them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the actions."""
        parser.epilog = _EXIT_CODES
        actions = parser.add_subparsers(dest="action", required=True)

        def action(name: str, words: str, *, has_number: bool = True) -> CommandParser:
            made: CommandParser = actions.add_parser(
                name, help=words, epilog=_EXIT_CODES
            )
            if has_number:
                made.add_argument("id", type=int, help="its number, as `list` shows")
            return made

        opening = action("open", "open one by hand", has_number=False)
        opening.add_argument("title", help="what is wrong, in one line")
        opening.add_argument(
            "--severity", choices=Severity.values, default=Severity.CRITICAL.value
        )
        opening.add_argument("--impact", default="", help="what people notice of it")
        opening.add_argument(
            "--started", help="when it began, such as 2026-03-01T14:05Z; default: now"
        )
        action("ack", "say that somebody is at it")
        note = action("note", "write down what was done or found")
        note.add_argument("text")
        _add_public(note)
        status = action("status", "go on to another status")
        status.add_argument("status", choices=[each.value for each in UNRESOLVED])
        _add_text(status)
        assign = action("assign", "give roles to people; an empty name takes one away")
        for role in ROLES:
            assign.add_argument(f"--{role.replace('_', '-')}", metavar="NAME")
        resolve = action("resolve", "end it")
        _add_text(resolve)
        listing = action("list", "the open ones, and means", has_number=False)
        listing.add_argument("--all", action="store_true", help="resolved ones, too")
        _add_json(listing)
        _add_json(action("show", "one, with its timeline"))
        document = action("postmortem", "print it as a Markdown document")
        document.add_argument("--file", type=Path, help="write it there instead")

    def do_open(
        self, *, title: str, severity: str, impact: str, **options: Any
    ) -> None:
        """Open one."""
        opened = incidents.open_by_hand(
            title,
            severity=severity,
            impact=impact,
            actor=operator(),
            started_at=_moment(options["started"]),
        )
        self.say(f"Incident {opened.pk} is open: {opened.title}")

    def do_ack(self, *, id: int, **_: Any) -> None:
        """Acknowledge one."""
        incidents.acknowledge(id, actor=operator())
        self.say(f"Incident {id} is acknowledged.")

    def do_note(self, *, id: int, text: str, public: bool, **_: Any) -> None:
        """Add a note."""
        incidents.add_note(id, text, actor=operator(), is_public=public)
        self.say(f"The note is in incident {id}'s timeline.")

    def do_status(
        self, *, id: int, status: str, text: str, public: bool, **_: Any
    ) -> None:
        """Set the status."""
        incidents.set_status(id, status, actor=operator(), text=text, is_public=public)
        self.say(f"Incident {id} is {status}.")

    def do_assign(self, *, id: int, **options: Any) -> None:
        """Give roles to people."""
        given = {role: options[role] for role in ROLES if options[role] is not None}
        if not given:
            raise CommandError(
                "Nobody is named: give a role, such as --commander.", returncode=2
            )
        found = incidents.assign(id, given, actor=operator())
        self.say(f"Roles of incident {id}: {_roles(found)}.")

    def do_resolve(self, *, id: int, text: str, public: bool, **_: Any) -> None:
        """End it."""
        ended = incidents.resolve(id, actor=operator(), text=text, is_public=public)
        took = durations.words(durations.of(ended).resolve_s)
        self.say(f"Incident {id} is resolved, after {took}.")
        if firing := records.still_firing(records.alerts_of(id)):
            self.say(firing)

    def do_list(self, *, all: bool, **options: Any) -> None:
        """List them, the newest first."""
        found = Incident.objects.order_by("-detected_at", "-id")
        if not all:
            found = found.filter(resolved_at=None)
        shown = list(found[:_MOST_LISTED])
        means = durations.means(timezone.now())
        if options["json"]:
            rows = [documents.incident(each) for each in shown]
            self.print_json({"incidents": rows, "means": documents.means(means)})
            return
        for each in shown:
            self.say(_line(each))
        if not shown:
            self.say("No incident." if all else "No incident is open.")
        self.say(_means(means))

    def do_show(self, *, id: int, **options: Any) -> None:
        """Show one."""
        found = incidents.find(id)
        told = timeline.of(found, now=timezone.now())
        if options["json"]:
            told_json = {"timeline": documents.timeline(told)}
            self.print_json(documents.incident(found) | told_json)
            return
        times = durations.of(found)
        self.say(_line(found))
        self.say(f"Impact: {found.impact or 'not described'}")
        self.say(f"Roles: {_roles(found)}")
        self.say(
            f"Detected after {durations.words(times.detect_s)}, "
            f"{_reached('acknowledged', times.acknowledge_s)}, "
            f"{_reached('resolved', times.resolve_s)}"
        )
        if told.left_out:
            self.say(f"{told.left_out} older lines are left out.")
        for line in told.lines:
            by = f" ({line.actor})" if line.actor else ""
            self.say(f"{line.at:%Y-%m-%d %H:%M:%S}  {line.kind:<13} {line.text}{by}")

    def do_postmortem(self, *, id: int, file: Path | None, **_: Any) -> None:
        """Write the document."""
        document = postmortem.markdown(incidents.find(id), now=timezone.now())
        if file is None:
            self.stdout.write(document, ending="")
            return
        try:
            file.write_text(document, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} can't be written: {error.strerror}.") from error
        self.say(f"The post-mortem of incident {id} is in {file}.")


def _add_public(parser: CommandParser) -> None:
    parser.add_argument(
        "--public", action="store_true", help="show the text on the status page, too"
    )


def _add_text(parser: CommandParser) -> None:
    parser.add_argument("--text", default="", help="what was done or found")
    _add_public(parser)


def _add_json(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _moment(raw: str | None) -> datetime | None:
    """Return a moment, in UTC where no zone is named. Raises: CommandError."""
    if raw is None:
        return None
    try:
        moment = parse_datetime(raw)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(
            f"--started {raw}: expected a date and a time, such as 2026-03-01T14:05Z.",
            returncode=2,
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _line(found: Incident) -> str:
    return (
        f"{found.pk:>5}  {found.detected_at:%Y-%m-%d %H:%M} UTC  {found.severity:<8} "
        f"{found.status:<13} {found.title}"
    )


def _roles(found: Incident) -> str:
    named = {role: getattr(found, role) for role in ROLES}
    return (
        ", ".join(
            f"{role.replace('_', ' ')} {name}" for role, name in named.items() if name
        )
        or "nobody has one"
    )


def _reached(what: str, seconds: float | None) -> str:
    if seconds is None:
        return f"not {what} yet"
    return f"{what} after {durations.words(seconds)}"


def _means(means: durations.Means) -> str:
    times = means.times
    return (
        f"Last {durations.WINDOW.days} days, {counted(means.count, 'incident')}: "
        f"MTTD {durations.words(times.detect_s)}, "
        f"MTTA {durations.words(times.acknowledge_s)}, "
        f"MTTR {durations.words(times.resolve_s)}"
    )
