"""The read side: what the apps measure, over a window that ends now."""

from datetime import timedelta

from django.utils import timezone

from monitoring import registry
from monitoring.registry import Ratio


def exposure(window: timedelta) -> Ratio:
    """Return how many turns were served with a persistent session.

    Measured on the turns themselves, so it tells what the set percent really does.
    """
    return _ratio("exposure", window)


def session_hits(window: timedelta) -> Ratio:
    """Return how many persistent turns found their session live and up to date."""
    return _ratio("session_hits", window)


def session_recoveries(window: timedelta) -> Ratio:
    """Return how many persistent turns had to recover their session."""
    return _ratio("session_recoveries", window)


def _ratio(name: str, window: timedelta) -> Ratio:
    return registry.ratio(name, since=timezone.now() - window)
