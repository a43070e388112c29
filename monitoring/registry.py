"""Where the apps offer what monitoring may ask of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Gauge = Callable[[], int | None]

HEALTHY, DEGRADED, UNHEALTHY = STATES = ("healthy", "degraded", "unhealthy")


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many of the valid events of a window were good."""

    good: int
    valid: int

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; None where nothing happened."""
        return self.good / self.valid if self.valid else None


@dataclass(frozen=True, slots=True)
class Service:
    """The state of something we depend on.

    `word` is what `/health` says. `health` is `healthy`, `degraded` (works in part, or
    somebody else's trouble) or `unhealthy` (a restart or an operator is needed).
    """

    word: str
    health: str = HEALTHY


@dataclass(frozen=True, slots=True)
class Health:
    """How something is: one of `STATES`, and one sentence for people."""

    status: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A check that may take its time, up to `timeout_s`; then it counts as degraded."""

    name: str
    check: Callable[[], Health]
    timeout_s: float

    @property
    def runbook(self) -> str:
        """Where the runbook says what it means and what to do."""
        return f"docs/RUNBOOK.md#check-{self.name.replace('_', '-')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How much of something there is now, for `/metrics`: by the label's values.

    Without a label the only value is ""; where there is no data there is none.
    """

    name: str
    help: str
    read: Callable[[], Mapping[str, float]]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric's value over a window, of so many samples; None: there is no data."""

    value: float | None
    samples: int = 0
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What an alert rule may watch. Its readings differ by label, if it has parts.

    `labels` names the parts there may be; None: it has none. A metric of this moment
    looks past the window.
    """

    name: str
    unit: str
    help: str
    read: Callable[[timedelta], Sequence[Reading]]
    labels: Callable[[], Iterable[str]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """What an event took back, as the letter about it says it.

    `extent` is FEATURE, PARTIAL or FULL; `impact` MINIMAL, MODERATE or SIGNIFICANT.
    """

    reason: str
    extent: str
    impact: str
    duration: str
    effects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, for the timeline of an incident."""

    at: datetime
    kind: str
    text: str
    actor: str = ""
    rollback: Rollback | None = None


_services: dict[str, Callable[[], Service]] = {}
_gauges: dict[str, Gauge] = {}
_probes: dict[str, Probe] = {}
_levels: dict[str, Levels] = {}
_metrics: dict[str, Metric] = {}
_switches: dict[str, Callable[[], bool]] = {}
_chronicles: dict[str, Callable[[datetime, datetime], Iterable[Event]]] = {}
_blockers: list[Callable[[], str | None]] = []


def register_service(name: str, check: Callable[[], Service]) -> None:
    """Offer a check for every `/health`.

    It is quick, and has an answer while the database is away.
    """
    _services[name] = check


def register_gauge(name: str, read: Gauge) -> None:
    """Offer a number; None means there is no data."""
    _gauges[name] = read


def register_probe(
    name: str, check: Callable[[], Health], *, timeout_s: float = 2.0
) -> None:
    """Offer a check for whoever asks for details.

    It runs in a thread of its own, beside others, and may use the database.
    """
    _probes[name] = Probe(name, check, timeout_s)


def register_levels(levels: Levels) -> None:
    """Offer numbers for `/metrics`; each scrape reads them from the database."""
    _levels[levels.name] = levels


def register_blocker(reason: Callable[[], str | None]) -> None:
    """Offer a reason why this process should get no traffic now, or None."""
    _blockers.append(reason)


def register_metric(metric: Metric) -> None:
    """Offer a number that alert rules may watch."""
    _metrics[metric.name] = metric


def register_switch(name: str, is_on: Callable[[], bool]) -> None:
    """Offer a setting that switches alert rules on and off."""
    _switches[name] = is_on


def register_chronicle(
    name: str, read: Callable[[datetime, datetime], Iterable[Event]]
) -> None:
    """Offer what happened between two moments, the second not included."""
    _chronicles[name] = read


def service_names() -> list[str]:
    """Return the name of every check for `/health`."""
    return list(_services)


def gauge(name: str) -> int | None:
    """Read one number; None where there is no data, or nobody who offers it."""
    read = _gauges.get(name)
    return read() if read else None


def services() -> dict[str, Service]:
    """Run every check."""
    return {name: check() for name, check in _services.items()}


def gauges(*, has_database: bool) -> dict[str, int | None]:
    """Read every number, or None for each while there is no database to read."""
    return {name: read() if has_database else None for name, read in _gauges.items()}


def probes() -> list[Probe]:
    """Return every probe, by name."""
    return sorted(_probes.values(), key=lambda probe: probe.name)


def probe(name: str) -> Probe:
    """Return one probe. Raises: KeyError for a name nobody offers."""
    return _probes[name]


def levels() -> list[Levels]:
    """Return what `/metrics` tells of the present, by name."""
    return [levels for _, levels in sorted(_levels.items())]


def blockers() -> list[str]:
    """Return why this process should get no traffic now."""
    return [words for reason in _blockers if (words := reason()) is not None]


def metrics() -> list[Metric]:
    """Return what alert rules may watch, by name."""
    return [metric for _, metric in sorted(_metrics.items())]


def metric(name: str) -> Metric:
    """Return one metric. Raises: KeyError for a name nobody offers."""
    return _metrics[name]


def is_switched_on(name: str) -> bool:
    """Tell whether a setting lets alerts through; one that nobody offers does."""
    return _switches[name]() if name in _switches else True


def switches() -> list[str]:
    """Return the name of every setting that switches alert rules."""
    return sorted(_switches)


def events(begin: datetime, end: datetime) -> list[Event]:
    """Return what happened between two moments, in order."""
    told = [event for read in _chronicles.values() for event in read(begin, end)]
    return sorted(told, key=lambda event: event.at)
