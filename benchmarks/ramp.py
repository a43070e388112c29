"""The guide's nine days in minutes, on a running deployment that nobody touches.

`python -m benchmarks.ramp --speed 600`: two web processes, the scripted model, people
who talk over HTTP. Once healthy, which must end with everybody; once with every
persistent answer broken off from 10 % on, which must end with nobody.

Phases last as long as the guide's, divided by the speed, but half a minute at least.
Conversations to be seen are scaled by what this traffic can bring. Success is required
where a phase can show it in that time. The scripted model is no sooner and no cheaper
for a session, so those two are shown only. Ticks come every second, as floors and
windows need real seconds to settle.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oracle_site.settings")
django.setup()

from benchmarks.figures import Figure, Section  # noqa: E402 - needs the apps
from flags import plans  # noqa: E402
from flags.plans import HOUR_S, TICK_S, Phase, Plan, Success  # noqa: E402
from oracle_site.drilling import copies, found, people  # noqa: E402
from oracle_site.drilling.copies import Copy  # noqa: E402

_GUIDE_PER_HOUR = 2000.0
_TURNS = 3
_WINDOW_S = 5
_SLACK_S = 120.0
# About how many conversations, or turns, it takes to prove what is so.
_TO_PROVE_HITS, _TO_PROVE_FEW_ERRORS = 30, 1500
_FAULT = {"directive": "[[error_mid code=500 after=3]]", "every": 1, "min_turns": 2}
_GOAL_S = 1.0


def main() -> None:
    """Run both ramps, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speed", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--per-s", type=float, default=5.0, help="conversations a second to expect"
    )
    parser.add_argument("--only", choices=("healthy", "fault"))
    given = parser.parse_args()
    plan = _plan(given.speed, given.per_s)
    for index, phase in enumerate(plan.phases, start=1):
        required = [gate.key for gate in phase.success if gate.is_required]
        print(
            f"phase {index}: {phase.percent} %, {phase.dwell_s} s, "
            f"{phase.unit_count} conversations, must show: {required or 'no harm'}"
        )
    for name in ("healthy", "fault"):
        if given.only in {None, name}:
            print(f"\n{_run(name, plan, given).text()}", flush=True)


def _plan(speed: float, per_s: float) -> Plan:
    phases = tuple(_phase(phase, speed, per_s) for phase in plans.GUIDE.phases)
    return replace(plans.GUIDE, name="fast", phases=phases, window_s=_WINDOW_S)


def _phase(phase: Phase, speed: float, per_s: float) -> Phase:
    dwell_s = max(TICK_S, round(phase.dwell_s / speed))
    share = float(phase.percent) / 100
    expected = per_s * dwell_s * share
    usual = _GUIDE_PER_HOUR * phase.dwell_s / HOUR_S * share

    def is_required(gate: Success) -> bool:
        if gate.metric == "session_hit_ratio":
            return expected >= _TO_PROVE_HITS
        if gate.metric == "error_ratio":
            return expected * _TURNS >= _TO_PROVE_FEW_ERRORS
        return False

    return replace(
        phase,
        dwell_s=dwell_s,
        unit_count=max(1, round(phase.unit_count / usual * expected)),
        success=tuple(
            replace(gate, is_required=is_required(gate)) for gate in phase.success
        ),
    )


def _run(name: str, plan: Plan, given: argparse.Namespace) -> Section:
    lasts_s = sum(phase.dwell_s for phase in plan.phases) + _SLACK_S
    with (
        TemporaryDirectory() as folder,
        copies.running(
            Path(folder), workers=given.workers, first_ms=50.0, words=8
        ) as copy,
        people.talking(copy.url, count=given.clients, pause_s=0.02) as crowd,
    ):
        copy.begin(plan, every_s=1.0)
        if name == "healthy":
            _until(copy, lambda: _state(copy) == "completed", within_s=lasts_s)
            broken_at = None
        else:
            _until(copy, lambda: _is_at(copy, 1), within_s=lasts_s)
            broken_at = copy.direct(**_FAULT)
            print(f"broken at {broken_at:%H:%M:%S}", flush=True)
            _until(copy, lambda: _state(copy) == "rolled_back", within_s=lasts_s)
        notes = [
            f"{_state(copy)}: the flag gives {found.given_percent(copy):f} %",
            f"turns by variant: {found.turns(copy)}, answers: {dict(crowd.statuses)}",
        ]
        figures = [*_phases(copy), *_seconds(copy, broken_at)]
        title = f"A ramp at {given.speed:g} times its speed: {name}"
        return Section(title, figures, notes)


def _phases(copy: Copy) -> list[Figure]:
    made = found.decided(copy)
    begun = made[0].at
    return [
        Figure(
            f"{each.action} at {each.percent:f} %",
            "s",
            ((each.at - begun).total_seconds(),),
        )
        for each in made
    ]


def _seconds(copy: Copy, broken_at: datetime | None) -> list[Figure]:
    """Return how long it took from the fault on, as far as there was one."""
    back = [each for each in found.decided(copy) if each.action == "roll_back"]
    begun, served = found.last_persistent(copy)
    if broken_at is None or not back or begun is None or served is None:
        return []
    at = back[0].at
    return [
        Figure("fault → decision", "s", ((at - broken_at).total_seconds(),)),
        Figure(
            "decision → last persistent turn begun",
            "s",
            ((begun - at).total_seconds(),),
            _GOAL_S,
        ),
        Figure(
            "decision → last persistent turn served",
            "s",
            ((served - at).total_seconds(),),
            _GOAL_S,
        ),
    ]


def _state(copy: Copy) -> str:
    return str(found.rollout(copy).get("state", ""))


def _is_at(copy: Copy, phase_index: int) -> bool:
    return bool(found.rollout(copy).get("phase_index") == phase_index)


def _until(copy: Copy, check: Callable[[], bool], *, within_s: float) -> None:
    """Wait, saying what changes; after that time go on with what there is."""
    began = found.rollout(copy).get("ticked_at") is not None
    told = len(found.decided(copy)) if began else 0
    deadline = time.monotonic() + within_s
    while not check() and time.monotonic() < deadline:
        copy.require_all()
        made = found.decided(copy)
        for each in made[told:]:
            print(f"{each.at:%H:%M:%S} {each.action}: {each.sentence}", flush=True)
        told = len(made)
        time.sleep(0.2)


if __name__ == "__main__":
    main()
