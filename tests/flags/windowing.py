"""A rollout whose windows are counted, and others whom it may ask."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flags import observations, plans, windows
from flags.models import Decision, Rollout, RolloutPlan, Window
from flags.observations import ArmCounts, ArmSummary, Observations, Traffic
from tests.chat.observed import NOON, STEP, STEP_S, traffic

Counts = Mapping[str, ArmCounts]


def begun(flag: str = "persistent_sessions", **fields: Any) -> Rollout:
    """Return a rollout by the guide, in short windows: at 10 %, begun at noon."""
    body = json.loads(replace(plans.GUIDE, window_s=STEP_S).to_text())
    plan, _ = RolloutPlan.objects.get_or_create(
        name="short-windows",
        version=1,
        defaults={"body": body, "created_by": "alice"},
    )
    given = {
        "state": Rollout.State.RAMPING,
        "phase_index": 1,
        "percent": 10,
        "started_by": "alice",
        "starts_at": NOON,
    }
    return Rollout.objects.create(flag=flag, plan=plan, **given | fields)


def decide(
    rollout: Rollout,
    when: datetime,
    percent: int,
    *,
    phase: int,
    state: str = "ramping",
) -> None:
    """Bring a rollout somewhere at a moment."""
    last = rollout.decisions.order_by("number").last()
    Decision.objects.create(
        rollout=rollout,
        number=last.number + 1 if last else 1,
        at=when,
        action="advance",
        actor="beat",
        channel="automation",
        sentence="Test.",
        state_before=last.state_after if last else "ramping",
        state_after=state,
        percent_before=last.percent_after if last else 0,
        percent_after=percent,
        phase_index=phase,
        release="1",
        hash="x",
    )
    Rollout.objects.filter(pk=rollout.pk).update(percent=percent, phase_index=phase)


def rows(rollout: Rollout, **only: Any) -> list[Window]:
    """Return what is stored of its windows, oldest first."""
    return list(rollout.windows.filter(**only).order_by("begin", "id"))


class Many:
    """Who counts one turn of the treatment in each window; `meanwhile` happens then."""

    def windows(self, begin: datetime, end: datetime, **limits: Any) -> list[Counts]:
        """Count a turn in each."""
        del limits
        one = {"on": ArmCounts(turn_count=1), "off": ArmCounts()}
        found: list[Counts] = [one] * ((end - begin) // STEP)
        self.meanwhile()
        return found

    def summary(
        self, begin: datetime, end: datetime, *, drawn_since: datetime | None = None
    ) -> dict[str, ArmSummary]:
        """Know nothing."""
        del begin, end, drawn_since
        return {}

    def persistent_since(self, moment: datetime) -> tuple[int, datetime | None]:
        """Know nothing."""
        del moment
        return 0, None

    def traffic(self, begin: datetime, end: datetime) -> Traffic:
        """Know nothing."""
        del begin, end
        return Traffic(hours=1)

    def meanwhile(self) -> None:
        """Nothing happens."""


@contextlib.contextmanager
def asked(source: Observations) -> Iterator[None]:
    """Let this one be asked meanwhile."""
    usual = observations.source()
    observations.register(source)
    try:
        yield
    finally:
        observations.register(usual)


def ingest_often(rollout_id: int, *, seconds: int) -> int:
    """Count up to each window's end in turn; return how many rows that added."""
    rollout = Rollout.objects.get(pk=rollout_id)
    nows = (
        NOON + windows.SETTLE + timedelta(seconds=s) for s in range(30, seconds + 1)
    )
    return sum(len(windows.ingest(rollout, now)) for now in nows)


def talk(seed: int, *, seconds: int) -> None:
    """Add the turns of this process."""
    middle = NOON + timedelta(seconds=seconds / 2)
    traffic(seed, begin=middle, seconds=seconds // 2, turns=100)


def told(rollout_id: int) -> str:
    """Return as JSON how many turns each window has, stored and counted again."""
    rollout = Rollout.objects.get(pk=rollout_id)
    pairs = windows.paired(rows(rollout))
    return json.dumps(
        {
            "rows": len(rows(rollout)),
            "windows": [_turns(each.arms) for each in pairs],
            "recounted": [_recounted(each.begin, each.end) for each in pairs],
            "turns": sum(_recounted(NOON, each.end) for each in pairs[-1:]),
        }
    )


def _turns(arms: Counts) -> int:
    return sum(each.turn_count for each in arms.values())


def _recounted(begin: datetime, end: datetime) -> int:
    """Count the turns of one window from the rows."""
    length_s = (end - begin).total_seconds()
    [found] = observations.source().windows(
        begin, end, step_s=length_s, slow_ms=1, costly_tokens=1, drawn_since=NOON
    )
    return _turns(found)
