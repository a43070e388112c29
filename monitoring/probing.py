"""Runs the probes, each in a thread of its own and no longer than it may take.

A probe that hangs is left alone: it is not started again until its thread has ended,
and whoever asks meanwhile hears at once how long it has been silent.
"""

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass

import structlog
from django.db import Error, connections

from monitoring import registry
from monitoring.registry import DEGRADED, HEALTHY, STATES, Health, Probe

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found, and how many ms that took; silent: it has not answered."""

    name: str
    status: str
    sentence: str
    took_ms: float
    runbook: str
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class _Run:
    probe: Probe
    began_at: float
    result: "Future[tuple[Health, float]]"


_runs: dict[str, _Run] = {}
_starting = threading.Lock()


def findings(probes: Iterable[Probe] | None = None) -> list[Finding]:
    """Run these probes, or all of them, side by side and return what they found.

    Takes no longer than the longest timeout among them.
    """
    chosen = registry.probes() if probes is None else probes
    return [_finding(run) for run in [_begin(probe) for probe in chosen]]


def worst(statuses: Iterable[str]) -> str:
    """Return the worst of these states; of none, `healthy`."""
    return max(statuses, key=STATES.index, default=HEALTHY)


def _begin(probe: Probe) -> _Run:
    """Start the probe, or join the run that is under way."""
    with _starting:
        run = _runs.get(probe.name)
        if run is not None and run.probe is probe and not run.result.done():
            return run
        run = _Run(probe, time.monotonic(), Future())
        threading.Thread(
            target=_check, args=[run], name=f"probe-{probe.name}", daemon=True
        ).start()
        # Only now: one whose thread could not be started would never be done.
        _runs[probe.name] = run
        return run


def _check(run: _Run) -> None:
    try:
        health = run.probe.check()
    except Error as error:
        log.warning("probe.no_database", probe=run.probe.name, error=repr(error))
        health = Health(DEGRADED, "It can't be told: the database does not answer.")
    except Exception as error:
        log.exception("probe.failed", probe=run.probe.name)
        # Only its kind: the text of an error may quote an address or a key.
        health = Health(DEGRADED, f"The check itself failed: {type(error).__name__}.")
    finally:
        connections.close_all()
    run.result.set_result((health, _ms_since(run.began_at)))


def _finding(run: _Run) -> Finding:
    """Wait for the run as long as it may take, counted from its start."""
    left_s = run.began_at + run.probe.timeout_s - time.monotonic()
    try:
        health, took_ms = run.result.result(max(0.0, left_s))
    except TimeoutError:
        took_ms = _ms_since(run.began_at)
        words = f"The check has not answered for {took_ms / 1000:.1f} s."
        return _found(run.probe, Health(DEGRADED, words), took_ms, is_silent=True)
    return _found(run.probe, health, took_ms)


def _found(
    probe: Probe, health: Health, took_ms: float, *, is_silent: bool = False
) -> Finding:
    return Finding(
        name=probe.name,
        status=health.status,
        sentence=health.sentence,
        took_ms=round(took_ms, 1),
        runbook=probe.runbook,
        is_silent=is_silent,
    )


def _ms_since(moment: float) -> float:
    return (time.monotonic() - moment) * 1000
