"""`rollout status`: what is set, what is measured, and where the rollout is."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from flags import console, control, outlook, runtime, values, wording
from flags.conf import FLAG, PERCENT, USE
from flags.console import OperatorCommand
from flags.models import Rollout
from flags.outlook import Outlook
from monitoring import slis
from monitoring.registry import Ratio

_WINDOWS = {
    "1h": ("the last hour", timedelta(hours=1)),
    "24h": ("the last 24 hours", timedelta(hours=24)),
}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what it takes."""
    console.add_json(parser)


def run(command: OperatorCommand, **options: Any) -> None:
    """Say how it stands, in words and numbers."""
    current = runtime.current()
    measured = {key: slis.exposure(span) for key, (_, span) in _WINDOWS.items()}
    latest = control.latest_changes()
    last = control.newest(latest, *control.ROLLOUT)
    seen = _outlook(timezone.now())
    if options["json"]:
        command.print_json(
            {
                "is_on": current[USE.name],
                "percent": values.write(current[PERCENT.name]),
                "exposure": {k: _as_json(ratio) for k, ratio in measured.items()},
                "last_change": last and console.change_as_json(last),
                "rollout": seen and seen.as_json(),
            }
        )
        return
    standing = control.standing(current, latest)
    words = f"Persistent sessions are {standing.word} {standing.rest}".rstrip()
    command.say(f"{words}.")
    command.say(f"Percent set: {standing.percent}")
    for key, ratio in measured.items():
        command.say(f"Exposure measured in {_WINDOWS[key][0]}: {_as_words(ratio)}")
    if last:
        command.say(f"Last change: {console.change_as_words(last)}")
    if seen:
        _tell(command, seen)


def _outlook(now: datetime) -> Outlook | None:
    every = Rollout.objects.filter(flag=FLAG).select_related("plan")
    newest = every.order_by("-id").first()
    return outlook.of(newest, now) if newest else None


def _tell(command: OperatorCommand, seen: Outlook) -> None:
    command.say(f"Rollout {seen.rollout.pk} by plan {seen.plan}: {seen.line}")
    if seen.last:
        command.say(
            f"Last decision: {seen.last.number}, {seen.last.at:%Y-%m-%d %H:%M:%S} UTC, "
            f"{seen.last.actor}: {seen.last.sentence}"
        )
    for hold in seen.holds:
        until = f" until {hold.until:%Y-%m-%d %H:%M} UTC" if hold.until else ""
        command.say(f"Hold {hold.pk} by {hold.created_by}{until}: {hold.reason}")
    if seen.is_stale:
        command.say(
            f"Nobody has looked at it for {seen.tick_age_s / 60:.0f} min: does the "
            f"worker run? `manage.py rollout tick` looks once."
        )


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
