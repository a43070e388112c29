"""What was measured, beside what is set: pictures, numbers, and when to worry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from flags import runtime, wording
from flags.conf import PERCENT, USE
from flags.values import Value
from monitoring import registry, slis
from monitoring.registry import Ratio

# Chat declares these; their names are all that is known of them here.
_ALERT_ON_RECOVERIES = "ALERT_ON_HIGH_RECOVERY_RATE"
_ALERT_ON_MISSES = "ALERT_ON_LOW_CACHE_HIT_RATIO"
_MAX_SESSIONS = "MAX_PERSISTENT_SESSIONS"
_LIVE_SESSIONS = "persistent_sessions_active"
_RECOVERIES_RULE, _MISSES_RULE = "high-recovery-rate", "low-hit-ratio"
_HOUR = timedelta(hours=1)
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a picture. `percent` 0–100; None: no data, which is not 0.

    `mark` is where it should be, in the same unit; None: nowhere in particular.
    """

    label: str
    percent: float | None
    words: str
    mark: float | None = None

    @property
    def mark_x(self) -> float | None:
        """Where the mark's line stands, so that it is seen at both ends."""
        return None if self.mark is None else min(max(self.mark, 0.4), 99.6)


@dataclass(frozen=True, slots=True)
class Report:
    """The measurements of this moment, in words and as pictures."""

    exposures: list[Bar]
    sessions: list[Bar]
    live_sessions: str
    warnings: list[str]


def report(current: Mapping[str, Value]) -> Report:
    """Measure, and hold it against these values of all settings."""
    hits = _measured(slis.session_hits, _HOUR)
    recoveries = _measured(slis.session_recoveries, _HOUR)
    unusable = runtime.unusable(runtime.stored())
    return Report(
        exposures=_exposures(current),
        sessions=[
            _bar("Found live", hits, "persistent turns"),
            _bar("Recovered", recoveries, "persistent turns"),
        ],
        live_sessions=_live_sessions(current),
        warnings=[
            *(f"A stored value can't be used. {words}" for words in unusable.values()),
            *_too_many_recoveries(current, recoveries),
            *_too_few_hits(current, hits),
        ],
    )


def _exposures(current: Mapping[str, Value]) -> list[Bar]:
    is_on, percent = current[USE.name], Decimal(current[PERCENT.name])
    given = float(percent) if is_on else 0.0
    words = wording.value(PERCENT, percent)
    return [
        Bar("Set", given, words if is_on else f"off ({words} once they are on)"),
        _bar("Last hour", _measured(slis.exposure, _HOUR), "turns", mark=given),
        _bar("Last 24 hours", _measured(slis.exposure, _DAY), "turns", mark=given),
    ]


def _measured(read: Callable[[timedelta], Ratio], window: timedelta) -> Ratio | None:
    """Return a measurement; None where nobody offers it."""
    try:
        return read(window)
    except KeyError:
        return None


def _bar(
    label: str, ratio: Ratio | None, events: str, *, mark: float | None = None
) -> Bar:
    if ratio is None or ratio.value is None:
        return Bar(label, None, f"no data: no {events}", mark)
    words = f"measured {wording.share(ratio.value)} of {ratio.valid:,} {events}"
    return Bar(label, ratio.value * 100, words, mark)


def _live_sessions(current: Mapping[str, Value]) -> str:
    count = registry.gauge(_LIVE_SESSIONS)
    if count is None:
        return "no data"
    return f"{count:,} of at most {current[_MAX_SESSIONS]:,}"


def _too_many_recoveries(
    current: Mapping[str, Value], recoveries: Ratio | None
) -> list[str]:
    share = recoveries.value if recoveries else None
    if not current[_ALERT_ON_RECOVERIES] or share is None:
        return []
    most = slis.threshold(_RECOVERIES_RULE)
    if most is None or share <= most:
        return []
    return [
        f"Many sessions had to be recovered: {wording.share(share)} of the persistent "
        f"turns of the last hour, where {wording.share(most)} or less "
        f"is usual."
    ]


def _too_few_hits(current: Mapping[str, Value], hits: Ratio | None) -> list[str]:
    share = hits.value if hits else None
    if not current[_ALERT_ON_MISSES] or share is None:
        return []
    least = slis.threshold(_MISSES_RULE)
    if least is None or share >= least:
        return []
    return [
        f"Few sessions were found live: {wording.share(share)} of the persistent turns "
        f"of the last hour, where {wording.share(least)} or more is usual."
    ]
