"""See what is wrong, tell people, and keep them from being told, from a shell."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from monitoring import notify
from monitoring.alerting import current, silences, steps
from monitoring.channels import kinds, trial
from monitoring.channels.message import NotSent
from monitoring.console import ActionCommand, operator
from monitoring.models import Alert, AlertRule, Severity, Silence

_EXIT_CODES = (
    "Exit codes: 0 done; 1 refused or not sent, the message says why; 2 the command "
    "line is wrong, or the channel is unknown or not configured; 3 somebody was "
    "first, look again."
)
_ALL_WELL = "Nothing is wrong: no alert is open."
_SPAN = re.compile(r"([1-9]\d{0,4})\s*(min|h|d)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days"}


class Command(ActionCommand):
    """`alerts list`, `test`, `raise`, `resolve`, `silence` and `ack`."""

    help = "See what is wrong, tell people, and keep them from being told."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the actions."""
        parser.epilog = _EXIT_CODES
        actions = parser.add_subparsers(dest="action", required=True)

        def action(name: str, words: str) -> CommandParser:
            made: CommandParser = actions.add_parser(
                name, help=words, epilog=_EXIT_CODES
            )
            return made

        listing = action("list", "what is wrong now")
        listing.add_argument("--json", action="store_true", help="print JSON")
        test = action("test", "send a test message now and say what became of it")
        test.add_argument("channel", help="log, email, slack, webhook or apprise")
        _add_raise(action)
        resolve = action("resolve", "say that something is over")
        resolve.add_argument("name", help="as it was raised")
        resolve.add_argument("--label", default="", help="as it was raised")
        silence = action("silence", "tell nobody of an alert for a while")
        silence.add_argument("name", help="the alert's or its rule's")
        silence.add_argument("--label", default="", help="only with this label")
        silence.add_argument("--for", dest="span", required=True, help="30min, 2h, 1d")
        silence.add_argument("--reason", required=True, help="why; kept with it")
        ack = action("ack", "say that somebody is at it: it is not repeated")
        ack.add_argument("id", type=int, help="its number, as `list` shows")

    def do_list(self, **options: Any) -> None:
        """List what is open, the worst first."""
        now = timezone.now()
        found, blindness = current.open_alerts(), current.blindness(now)
        holding = silences.current(now)
        if options["json"]:
            rows = [_as_json(each, holding) for each in found]
            self.print_json(rows)
            self.stderr.write(blindness, ending="\n" if blindness else "")
            return
        for each in found:
            self.say(_as_line(each, holding))
        if not found:
            self.say("No alert is open." if blindness else _ALL_WELL)
        if blindness:
            self.say(blindness)

    def do_test(self, *, channel: str, **_: Any) -> None:
        """Send a test message."""
        try:
            said = trial.run(channel, actor=operator())
        except (kinds.UnknownChannel, kinds.NotConfigured) as error:
            raise CommandError(str(error), returncode=2) from error
        except NotSent as error:
            raise CommandError(f"The test did not arrive. {error}") from error
        self.say(f"The test was sent. {said}")

    def do_raise(self, *, severity: str, message: str, **options: Any) -> None:
        """Open an alert, or count it once more."""
        if AlertRule.objects.filter(name=options["name"]).exists():
            raise CommandError(
                f"{options['name']} is watched by a rule, which tells people itself: "
                f"give another --name."
            )
        alert = notify.raise_alert(
            options["name"], severity=severity, summary=message, label=options["label"]
        )
        if alert.event_count > 1:
            self.say(
                f"Alert {alert.pk} is open already, raised {alert.event_count:,} times."
            )
        else:
            self.say(f"Alert {alert.pk} is open; {_when_told(alert)}.")

    def do_resolve(self, *, name: str, label: str, **_: Any) -> None:
        """End what was raised."""
        if not notify.resolve_alert(name, label=label):
            raise CommandError(_why_not(name, label))
        over = Alert.objects.filter(name=name, rule=None, resolved_at__isnull=False)
        ended = over.latest("resolved_at")
        self.say(f"{name} is over; {_when_told(ended)}.")

    def do_silence(self, *, name: str, label: str, **options: Any) -> None:
        """Silence an alert."""
        span = _span(options["span"])
        _check_known(name)
        now = timezone.now()
        silence = silences.create(
            silences.Target(name=name, label=label),
            ends_at=now + span,
            reason=options["reason"],
            actor=operator(),
            now=now,
        )
        until = f"{silence.ends_at:%Y-%m-%d %H:%M} UTC"
        self.say(f"Nobody is told of {name} until {until}.")

    def do_ack(self, *, id: int, **_: Any) -> None:
        """Acknowledge an alert."""
        alert = steps.find(id)
        steps.acknowledge(alert, actor=operator(), now=timezone.now())
        self.say(f"Alert {id} ({alert}) is acknowledged: it is not repeated.")


def _add_raise(action: Callable[[str, str], CommandParser]) -> None:
    parser = action("raise", "tell people that something is wrong, once while it is")
    parser.add_argument("severity", choices=Severity.values)
    parser.add_argument("message", help="one sentence")
    parser.add_argument(
        "--name", default="by-hand", help="the same name is the same alert"
    )
    parser.add_argument("--label", default="", help="tells parts of it apart")


def _span(raw: str) -> timedelta:
    """Return a duration. Raises: CommandError."""
    found = _SPAN.fullmatch(raw.strip())
    if not found:
        raise CommandError(
            f"--for {raw}: expected a number and min, h or d, such as 30min, 2h or 1d.",
            returncode=2,
        )
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _check_known(name: str) -> None:
    """Refuse a name that nothing has: its silence would keep nothing quiet."""
    rules = AlertRule.objects.values_list("name", flat=True)
    if name not in rules and not Alert.objects.filter(name=name).exists():
        raise CommandError(
            f"No alert has the name {name!r}. The rules are: {', '.join(rules)}."
        )


def _when_told(alert: Alert) -> str:
    """Say when people hear of its begin or, once it is resolved, of its end."""
    if alert.resolved_at is not None and alert.notified_at is None:
        return "nobody was told of it, nor is of its end"
    if holding := silences.covering(alert, silences.current(timezone.now())):
        until = max(each.ends_at for each in holding)
        return f"it is silenced: nobody is told before {until:%Y-%m-%d %H:%M} UTC"
    return "people are told within a minute"


def _why_not(name: str, label: str) -> str:
    same = Alert.objects.filter(name=name, resolved_at=None)
    if same.filter(label=label, rule__isnull=False).exists():
        return (
            f"{name} is watched by a rule and ends by itself; `alerts silence` or "
            f"`alerts ack` keep it quiet."
        )
    labels = [each or "none" for each in same.values_list("label", flat=True)[:10]]
    if labels:
        return f"{name} is not open with that label. Open are: {', '.join(labels)}."
    return f"No alert {name!r} is open; `alerts list` shows those that are."


def _as_line(alert: Alert, holding: list[Silence]) -> str:
    marks = [
        f"acknowledged by {alert.acknowledged_by}" if alert.acknowledged_at else "",
        "silenced" if silences.covering(alert, holding) else "",
        "no data" if alert.frozen_since else "",
        f"raised {alert.event_count:,} times" if alert.event_count > 1 else "",
    ]
    told = ", ".join(mark for mark in marks if mark)
    return (
        f"{alert.pk:>5}  {alert.began_at:%Y-%m-%d %H:%M} UTC  {alert.severity:<8} "
        f"{alert.state:<7} {alert}: {alert.summary}{f' ({told})' if told else ''}"
    )


def _as_json(alert: Alert, holding: list[Silence]) -> dict[str, Any]:
    fired_at, acknowledged_at = alert.fired_at, alert.acknowledged_at
    return {
        "id": alert.pk,
        "name": alert.name,
        "label": alert.label,
        "severity": alert.severity,
        "state": alert.state,
        "summary": alert.summary,
        "value": alert.value,
        "runbook": alert.runbook,
        "event_count": alert.event_count,
        "began_at": alert.began_at.isoformat(),
        "fired_at": fired_at and fired_at.isoformat(),
        "acknowledged_at": acknowledged_at and acknowledged_at.isoformat(),
        "acknowledged_by": alert.acknowledged_by,
        "is_silenced": bool(silences.covering(alert, holding)),
        "has_no_data": alert.frozen_since is not None,
    }
