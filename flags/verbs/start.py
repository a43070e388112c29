"""`rollout start`: arm a rollout; its ticks do the rest."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from flags import console, outlook, plan_store, rollouts
from flags.conf import FLAG
from flags.console import OperatorCommand
from flags.errors import InvalidValue
from flags.models import Rollout, RolloutPlan
from flags.verbs import doors

FARTHEST = timedelta(days=365)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument(
        "--plan", required=True, help="its name, or name@version for an older one"
    )
    parser.add_argument(
        "--at",
        type=doors.moment,
        metavar="MOMENT",
        help="2026-11-26T14:00 (UTC); at the next tick if not given",
    )
    parser.add_argument(
        "--without-drill",
        action="store_true",
        help="although no drill has ended well in the last seven days; say why",
    )
    console.add_reason(parser)


def run(command: OperatorCommand, **options: Any) -> None:
    """Start it, or say that it could be. Raises: FlagsError."""
    plan, order = plan_store.find(options["plan"]), doors.order(options)
    now = timezone.now()
    starts_at: datetime | None = options["at"]
    if starts_at and starts_at > now + FARTHEST:
        raise InvalidValue(
            f"{starts_at:%Y-%m-%d} is more than {FARTHEST.days} days ahead: give a "
            f"nearer moment (--at)."
        )
    if running := _running(plan, starts_at, now):
        _tell(command, running, options, is_new=False)
        return
    without_drill: bool = options["without_drill"]
    if options["dry_run"]:
        order = rollouts.Order(actor=order.actor, reason=order.reason or "Dry run.")
        rollouts.require_start(
            plan,
            order,
            now=now,
            starts_at=starts_at or now,
            without_drill=without_drill,
        )
        if options["json"]:
            command.print_json({"dry_run": True, "is_new": False, "rollout": None})
        else:
            begin = starts_at or now
            command.say(
                f"A rollout by plan {plan} can be started. It would begin at the first "
                f"look after {begin:%Y-%m-%d %H:%M:%S} UTC."
            )
            command.say("Dry run: nothing was changed.")
        return
    started = rollouts.start(
        plan,
        order,
        now=now,
        starts_at=starts_at,
        without_drill=without_drill,
    )
    _tell(command, started, options, is_new=True)


def _running(
    plan: RolloutPlan, starts_at: datetime | None, now: datetime
) -> Rollout | None:
    """Return the rollout that is what was asked for already.

    It follows this very plan, from this moment on, and is not being taken back.
    """
    same = Rollout.objects.filter(flag=FLAG, plan=plan, ended_at=None)
    if starts_at:
        same = same.filter(starts_at=starts_at)
    else:
        same = same.filter(starts_at__lte=now)
    return same.exclude(state=Rollout.State.ROLLING_BACK).first()


def _tell(
    command: OperatorCommand, rollout: Rollout, options: dict[str, Any], *, is_new: bool
) -> None:
    seen = outlook.of(rollout, timezone.now())
    if options["json"]:
        is_dry = options["dry_run"]
        command.print_json(
            {"dry_run": is_dry, "is_new": is_new, "rollout": seen.as_json()}
        )
        return
    command.say(f"Rollout {rollout.pk} by plan {seen.plan}: {seen.line}")
    if is_new:
        command.say(f"It begins at {rollout.starts_at:%Y-%m-%d %H:%M:%S} UTC.")
        command.say("`manage.py rollout watch` shows how it goes.")
    else:
        command.say("It is so already: nothing was changed.")
