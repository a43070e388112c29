"""Where a rollout is in its phase: time and information there are, and what is left."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from flags import gathering, rollout_probes, rollouts
from flags.gates import words
from flags.models import Decision, Hold, Rollout
from flags.situation import State

STALE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A rollout now. `number` is its phase, from 1; times are in seconds.

    `plan_fault`: why its plan can't be read, and so nothing is known of its phases.
    """

    rollout: Rollout
    plan: str
    number: int
    count: int
    elapsed_s: float
    dwell_s: float
    unit_count: int
    needed_count: int
    tick_age_s: float
    is_watched: bool
    last: Decision | None
    plan_fault: str
    holds: tuple[Hold, ...]

    @property
    def state(self) -> State:
        """Where it is."""
        return State(self.rollout.state)

    @property
    def is_stale(self) -> bool:
        """Whether nobody looks at it although somebody should."""
        return self.is_watched and self.tick_age_s >= STALE_AFTER.total_seconds()

    @property
    def line(self) -> str:
        """All of it in one line, for whoever waits."""
        rollout = self.rollout
        where = f"{rollout.get_state_display().lower()} at {rollout.percent} %"
        if self.plan_fault:
            return f"{where}. {self.plan_fault}"
        if self.state is State.ARMED:
            return f"{where}, to begin at {rollout.starts_at:%Y-%m-%d %H:%M} UTC."
        is_going = self.state is not State.ROLLING_BACK and not rollout.ended_at
        if rollout.phase_since is None or not is_going:
            return f"{where}."
        left_s = self.dwell_s - self.elapsed_s
        time = f"{words.span(left_s)} left" if left_s > 0 else "its time is over"
        return (
            f"{where}, phase {self.number} of {self.count}: {time}, "
            f"{self.unit_count:,} of {self.needed_count:,} treatment conversations."
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        rollout = self.rollout
        return {
            "id": rollout.pk,
            "plan": self.plan,
            "plan_fault": self.plan_fault,
            "state": rollout.state,
            "version": rollout.version,
            "percent": float(rollout.percent),
            "phase": self.number,
            "phases": self.count,
            "starts_at": rollout.starts_at.isoformat(),
            "state_since": rollout.state_since.isoformat(),
            "elapsed_s": self.elapsed_s,
            "dwell_s": self.dwell_s,
            "treatment_conversations": self.unit_count,
            "needed_conversations": self.needed_count,
            "tick_age_s": self.tick_age_s,
            "is_stale": self.is_stale,
            "last_decision": self.last and self.last.number,
            "sentence": self.last.sentence if self.last else "",
            "holds": [
                {
                    "id": hold.pk,
                    "by": hold.created_by,
                    "reason": hold.reason,
                    "until": hold.until and hold.until.isoformat(),
                }
                for hold in self.holds
            ],
        }


def of(rollout: Rollout, now: datetime) -> Outlook:
    """Return where a rollout is; with a plan that can't be read, what is known so."""
    fault = rollouts.plan_fault(rollout)
    phases = () if fault else rollouts.plan_of(rollout).phases
    phase = phases[rollout.phase_index] if phases else None
    knowledge, _ = gathering.known(rollout)
    since, until = rollout.phase_since, rollout.ended_at or now
    lasting = Q(until=None) | Q(until__gt=now)
    return Outlook(
        rollout=rollout,
        plan=str(rollout.plan),
        number=rollout.phase_index + 1,
        count=len(phases),
        elapsed_s=(until - since).total_seconds() if since else 0.0,
        dwell_s=phase.dwell_s if phase else 0,
        unit_count=knowledge.units_in(rollout.phase_index),
        needed_count=phase.unit_count if phase else 0,
        tick_age_s=rollout_probes.tick_age_s(rollout, now),
        is_watched=rollouts.is_watched(rollout, now),
        last=rollout.decisions.order_by("-number").first(),
        plan_fault=fault,
        holds=tuple(rollout.holds.filter(lasting, released_at=None).order_by("id")),
    )
