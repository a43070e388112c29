"""Widen, shrink, kill and look at the rollout of persistent sessions."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from flags import changes, console, control, runtime, values, wording
from flags.changes import Difference
from flags.conf import PERCENT, USE
from flags.errors import SwitchedOff
from flags.verbs import simulate
from monitoring import slis
from monitoring.registry import Ratio

_WINDOWS = {
    "1h": ("the last hour", timedelta(hours=1)),
    "24h": ("the last 24 hours", timedelta(hours=24)),
}


class Command(console.OperatorCommand):
    """`rollout percent N`, `rollout kill`, `rollout status`."""

    help = "Decide how many conversations get persistent sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the three actions."""
        parser.epilog = console.EXIT_CODES
        actions = parser.add_subparsers(dest="action", required=True)
        percent = actions.add_parser(
            "percent",
            help="give them to so many of 100 conversations",
            epilog=console.EXIT_CODES,
        )
        percent.add_argument("percent", help="0 to 100, with two decimals at most")
        percent.add_argument(
            "--enable",
            action="store_true",
            help="switch it on as well, after somebody switched it off",
        )
        console.add_reason(percent)
        kill = actions.add_parser(
            "kill", help="switch it off for everybody, now", epilog=console.EXIT_CODES
        )
        kill.add_argument("--reason", default="", help="why, if there is time")
        console.add_json(kill)
        status = actions.add_parser(
            "status", help="say how it stands", epilog=console.EXIT_CODES
        )
        console.add_json(status)
        simulate.add_arguments(
            actions.add_parser(
                "simulate",
                help="say what a plan would do, before it is started",
                epilog=console.EXIT_CODES,
            )
        )

    def do_simulate(self, **options: Any) -> None:
        """Say what a plan would do."""
        simulate.run(self, **options)

    def do_percent(self, *, percent: str, enable: bool, **options: Any) -> None:
        """Bring the rollout to a percent."""
        try:
            wanted = changes.set_percent(percent, is_enabling=enable)
        except SwitchedOff as error:
            raise CommandError(f"{error} (--enable)") from error
        self.change(wanted, options=options)

    def do_kill(self, *, reason: str, **options: Any) -> None:
        """Switch it off, before anything else is read or said."""
        done = changes.kill(actor=console.operator(), reason=reason)
        if done or options["json"]:
            off = [Difference(USE.name, old=True, new=False, unit="") for _ in done]
            before = runtime.current() | {USE.name: True}
            self.tell(off, before=before, options=options)
        else:
            self.say("It is off already: nothing was changed.")

    def do_status(self, **options: Any) -> None:
        """Say how it stands, in words and numbers."""
        current = runtime.current()
        measured = {key: slis.exposure(span) for key, (_, span) in _WINDOWS.items()}
        latest = control.latest_changes()
        last = control.newest(latest, *control.ROLLOUT)
        if options["json"]:
            self.print_json(
                {
                    "is_on": current[USE.name],
                    "percent": values.write(current[PERCENT.name]),
                    "exposure": {k: _as_json(ratio) for k, ratio in measured.items()},
                    "last_change": last and console.change_as_json(last),
                }
            )
            return
        standing = control.standing(current, latest)
        words = f"Persistent sessions are {standing.word} {standing.rest}".rstrip()
        self.say(f"{words}.")
        self.say(f"Percent set: {standing.percent}")
        for key, ratio in measured.items():
            self.say(f"Exposure measured in {_WINDOWS[key][0]}: {_as_words(ratio)}")
        if last:
            self.say(f"Last change: {console.change_as_words(last)}")


def _as_json(ratio: Ratio) -> dict[str, float | int | None]:
    value = ratio.value
    return {
        "persistent_turns": ratio.good,
        "turns": ratio.valid,
        "percent": None if value is None else round(value * 100, 2),
    }


def _as_words(ratio: Ratio) -> str:
    if ratio.value is None:
        return "no data (no turns)"
    return f"{wording.share(ratio.value)} ({ratio.good:,} of {ratio.valid:,} turns)"
