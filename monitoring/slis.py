"""The read side: what the apps measure, over a window that ends now."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from monitoring import facts, registry
from monitoring.alerting import rules
from monitoring.facts import SessionTurns
from monitoring.registry import Ratio, Reading


def exposure(window: timedelta) -> Ratio:
    """Return how many turns were served with a persistent session.

    Measured on the turns themselves, so it tells what the set percent really does.
    """
    return facts.source().exposure(since=timezone.now() - window)


def session_hits(window: timedelta) -> Ratio:
    """Return how many persistent turns found their session live and up to date."""
    turns = _session_turns(window)
    return Ratio(turns.hit, turns.valid)


def session_recoveries(window: timedelta) -> Ratio:
    """Return how many persistent turns had to recover their session."""
    turns = _session_turns(window)
    return Ratio(turns.recovered, turns.valid)


def read(name: str, window: timedelta) -> Sequence[Reading]:
    """Return what an alert rule sees of a metric. Raises: KeyError for an unknown one.

    Several readings differ by label; none, or one of None, is no data.
    """
    return registry.metric(name).read(window)


def threshold(rule: str) -> float | None:
    """Return where an alert rule worries; None: there is no such rule."""
    return rules.threshold(rule)


def _session_turns(window: timedelta) -> SessionTurns:
    return facts.source().session_turns(since=timezone.now() - window)
