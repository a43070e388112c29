"""A report's figures, each beside that of the period before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from monitoring.history.summary import Summary
from monitoring.reporting import past, wording
from monitoring.reporting.past import Past
from monitoring.wording import variant

Read = Callable[[Past], float | None]

_ORDER = {label: place for place, label in enumerate(("on", "off", "none"))}
_TOKENS = {
    "prompt_tokens": "Prompt tokens",
    "cached_tokens": "Cached tokens",
    "output_tokens": "Output tokens",
    "thoughts_tokens": "Thoughts tokens",
    "billed_tokens": "Billed input tokens",
}
_TIMES = {"turn_ms": "Answer complete", "first_text_ms": "First text"}
_SHARES = {"avg": "average", "p50": "median", "p95": "p95", "p99": "p99"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, its unit, and what it was in the period before; None is no data."""

    key: str
    title: str
    unit: str
    value: float | None
    before: float | None

    def as_json(self) -> dict[str, Any]:
        """Return it with the change in words."""
        return {
            "key": self.key,
            "title": self.title,
            "unit": self.unit,
            "value": self.value,
            "before": self.before,
            "change": wording.change(self.value, self.before, self.unit),
        }


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that belong together."""

    title: str
    figures: list[Figure]

    def as_json(self) -> dict[str, Any]:
        """Return it for the report's body."""
        return {
            "title": self.title,
            "figures": [figure.as_json() for figure in self.figures],
        }


class Comparison:
    """A window and the one before it, and what there is to say of both."""

    def __init__(self, now: Past, before: Past) -> None:
        self.now, self.before = now, before

    def sections(self) -> list[Section]:
        """Return all there is."""
        parts = {
            "Traffic": self._traffic(),
            "Errors": self._errors(),
            "Times": self._times(),
            "Sessions": self._sessions(),
            "Tokens and cost": self._spending(),
            "Trouble": self._trouble(),
            "Machine": self._machine(),
        }
        return [Section(title, list(figures)) for title, figures in parts.items()]

    def figure(self, key: str, title: str, unit: str, read: Read) -> Figure:
        """Read one in both windows."""
        return Figure(
            key, title, unit, _rounded(read(self.now)), _rounded(read(self.before))
        )

    def _traffic(self) -> Iterator[Figure]:
        yield self._count("turns", "Turns")
        yield self._count("requests", "Requests")
        yield self.figure(
            "minutes_recorded",
            "Minutes recorded",
            "minutes",
            lambda p: p.minutes_recorded,
        )

    def _errors(self) -> Iterator[Figure]:
        yield self._count("errors", "Turns that failed")
        yield self.figure(
            "error_ratio",
            "Share that failed",
            "ratio",
            lambda p: p.share("errors", "turns"),
        )
        for code in self._labels("errors"):
            yield self._count("errors", f"Of them {code}", code)

    def _times(self) -> Iterator[Figure]:
        for name, title in _TIMES.items():
            for share, words in _SHARES.items():
                yield self._timing(name, share, f"{title}, {words}")
            for label in self._labels(name):
                yield self._timing(
                    name, "p95", f"{title}, p95, {variant(label)}", label
                )

    def _sessions(self) -> Iterator[Figure]:
        for label, title in (
            ("hit", "Sessions found live"),
            ("recovered", "Recovered"),
        ):
            yield self.figure(
                f"session_{label}_ratio", title, "ratio", _found_share(label)
            )
        yield self.figure(
            "session_turns", "Turns with a session to find", "", lambda p: p.found_count
        )
        yield self._count("session_found", "Sessions created", "created")
        for label in ("expired", "evicted"):
            yield self._count("session_operations", f"Sessions {label}", label)
        yield self._extreme("sessions_live", "Live sessions, most", "", "high")

    def _spending(self) -> Iterator[Figure]:
        for name, title in _TOKENS.items():
            for label in self._labels(name):
                yield self.figure(
                    f"{name}.{label}",
                    f"{title}, {variant(label)}",
                    "tokens",
                    _total(name, label),
                )
        for label in self._labels("billed_tokens"):
            yield self.figure(
                f"billed_tokens_per_turn.{label}",
                f"Billed input tokens a turn, {variant(label)}",
                "tokens",
                _average("billed_tokens", label),
            )
        for label in self._labels("cost_usd"):
            yield self.figure(
                f"cost_usd.{label}",
                f"Cost, {variant(label)}",
                "usd",
                _total("cost_usd", label),
            )
        yield self.figure("cost_usd", "Cost, together", "usd", _total("cost_usd", None))

    def _trouble(self) -> Iterator[Figure]:
        yield self.figure(
            "alerts_fired", "Alerts that fired", "", lambda p: p.alerts_fired
        )
        yield self.figure("incidents", "Incidents opened", "", lambda p: p.incidents)
        yield self._count("checks_bad", "Health checks that were not healthy")
        yield self._count("jobs_failed", "Jobs that failed")

    def _machine(self) -> Iterator[Figure]:
        yield self._extreme("memory_percent", "Memory used, most", "percent", "high")
        yield self._extreme("disk_free_gb", "Disk free, least", "gb", "low")
        yield self._extreme("queue_waiting", "Tasks waiting, most", "", "high")

    def _count(self, name: str, title: str, label: str | None = None) -> Figure:
        key = name if label is None else f"{name}.{label}"
        return self.figure(key, title, "", lambda p: p.count(name, label))

    def _timing(
        self, name: str, share: str, title: str, label: str | None = None
    ) -> Figure:
        key = f"{name}_{share}" if label is None else f"{name}_{share}.{label}"
        return self.figure(
            key, title, "ms", lambda p: _of(p.summary(name, label), share)
        )

    def _extreme(self, name: str, title: str, unit: str, which: str) -> Figure:
        return self.figure(name, title, unit, lambda p: _of(p.summary(name), which))

    def _labels(self, name: str) -> list[str]:
        """Return a series' labels: variants as they are declared, others by name."""
        found = past.labels([self.now, self.before], name)
        return sorted(found, key=lambda label: _ORDER.get(label, len(_ORDER)))


def _of(summary: Summary, name: str) -> float | None:
    found: float | None = getattr(summary, name)
    return found


def _total(name: str, label: str | None) -> Read:
    return lambda p: p.total(name, label)


def _average(name: str, label: str) -> Read:
    return lambda p: p.summary(name, label).avg


def _found_share(label: str) -> Read:
    return lambda p: p.found_share(label)


def _rounded(value: float | None) -> float | None:
    """Keep what is measured, not the noise of adding it up."""
    return value if value is None or isinstance(value, int) else round(value, 6)
