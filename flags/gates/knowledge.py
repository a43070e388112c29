"""All that the gates of a rollout have learnt, between two ticks, as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from flags.evidence import harm, sample_ratio
from flags.evidence.fisher import Counts
from flags.evidence.looks import Look
from flags.readings import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a tick saw of the deployment itself. None: not known, or known too long ago.

    `health` and `database` are "healthy", "degraded" or "unhealthy"; of the memory,
    how many percent are used.
    """

    at: datetime
    health: str | None = None
    database: str | None = None
    memory_percent: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same sighting of."""
        return asdict(self) | {"at": self.at.isoformat()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read a kept sighting. Raises: KeyError, TypeError, ValueError."""
        return cls(**dict(kept) | {"at": datetime.fromisoformat(kept["at"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How far the success of a phase has been judged.

    `since` is when the phase began; begun again after a halving, it is judged anew.
    None: that does not matter. `next_look` is the first one not taken yet, from 0;
    `looks` are those taken, by the gate's key; `proved` the gates that have once been
    proved, with the look (from 0); `at` is the moment of the last; None: not known.
    """

    phase_index: int
    next_look: int = 0
    looks: Mapping[str, tuple[Look, ...]] = field(default_factory=dict)
    proved: Mapping[str, int] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()
    since: datetime | None = None
    at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same of, to the last bit."""
        return {
            "phase_index": self.phase_index,
            "next_look": self.next_look,
            "looks": {
                key: [look.as_json() for look in looks]
                for key, looks in self.looks.items()
            },
            "proved": dict(self.proved),
            "readings": [reading.as_json() for reading in self.readings],
            "since": self.since and self.since.isoformat(),
            "at": self.at and self.at.isoformat(),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read what was kept. Raises: KeyError, TypeError, ValueError."""
        return cls(
            phase_index=int(kept["phase_index"]),
            next_look=int(kept["next_look"]),
            looks={
                key: tuple(map(Look.from_json, looks))
                for key, looks in kept["looks"].items()
            },
            proved={key: int(look) for key, look in kept["proved"].items()},
            readings=tuple(map(Reading.from_json, kept["readings"])),
            since=_moment(kept.get("since")),
            at=_moment(kept.get("at")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What has been learnt until now; a new rollout knows nothing.

    `phase_index` is the phase of the last window in which anybody could get the
    feature, None before the first. `unit_count` (drawn treatment conversations) and
    `counted` (at risk, by harm gate: once for each window that one was active in) are
    of that phase; `harms` and `split` of the whole ramp.
    """

    phase_index: int | None = None
    unit_count: int = 0
    harms: Mapping[str, harm.State] = field(default_factory=dict)
    counted: Mapping[str, Counts] = field(default_factory=dict)
    split: sample_ratio.State | None = None
    sightings: tuple[Sighting, ...] = ()
    judged: Judged | None = None

    def units_in(self, phase_index: int) -> int:
        """Return how many treatment conversations were drawn in a phase so far."""
        return self.unit_count if self.phase_index == phase_index else 0

    def judged_in(self, phase_index: int, since: datetime | None = None) -> Judged:
        """Return how far a phase has been judged, since it last began."""
        judged = self.judged
        if judged and (judged.phase_index, judged.since) == (phase_index, since):
            return judged
        return Judged(phase_index=phase_index, since=since)

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same knowledge of, to the last bit."""
        return {
            "phase_index": self.phase_index,
            "unit_count": self.unit_count,
            "harms": {key: state.as_json() for key, state in self.harms.items()},
            "counted": {key: asdict(counts) for key, counts in self.counted.items()},
            "split": self.split and self.split.as_json(),
            "sightings": [each.as_json() for each in self.sightings],
            "judged": self.judged and self.judged.as_json(),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read what was kept; of nothing, no knowledge.

        Raises: KeyError, TypeError, ValueError.
        """
        if not kept:
            return cls()
        split, judged = kept["split"], kept["judged"]
        return cls(
            phase_index=kept["phase_index"],
            unit_count=int(kept["unit_count"]),
            harms={key: harm.State.from_json(v) for key, v in kept["harms"].items()},
            counted={key: Counts(**counts) for key, counts in kept["counted"].items()},
            split=split and sample_ratio.State.from_json(split),
            sightings=tuple(map(Sighting.from_json, kept["sightings"])),
            judged=judged and Judged.from_json(judged),
        )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
