"""What the figures suggest, in words; nobody acts on it but people."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from monitoring.reporting import wording


@dataclass(frozen=True, slots=True)
class Advice:
    """When a figure is beyond what the alert rule of that name worries about.

    `samples` is the figure that says how many turns it is of; empty: of none.
    """

    rule: str
    key: str
    samples: str
    unit: str
    is_bad: Callable[[float, float], bool]
    words: str


def _above(value: float, limit: float) -> bool:
    return value > limit


def _below(value: float, limit: float) -> bool:
    return value < limit


# As with the alert rules: a share of fewer turns says little.
_FEW = 20

ALL = [
    Advice(
        "slow-answers",
        "turn_ms_avg",
        "turns",
        "ms",
        _above,
        "Answers take {value} on average, more than {limit}. Compare the variants: if "
        "only those with persistent sessions are slow, halve the rollout's percent.",
    ),
    Advice(
        "low-hit-ratio",
        "session_hit_ratio",
        "session_turns",
        "ratio",
        _below,
        "Only {value} of the turns with a session to find found it live, less than "
        "{limit}. Raise PERSISTENT_SESSION_TIMEOUT or MAX_PERSISTENT_SESSIONS if there "
        "is memory.",
    ),
    Advice(
        "high-recovery-rate",
        "session_recovered_ratio",
        "session_turns",
        "ratio",
        _above,
        "{value} of the turns with a session to find had to recover it, more than "
        "{limit}. Were web processes restarted, or sessions closed for want of room?",
    ),
    Advice(
        "high-error-rate",
        "error_ratio",
        "turns",
        "ratio",
        _above,
        "{value} of the turns failed, more than {limit}. See the errors by their codes "
        "and the model's state.",
    ),
    Advice(
        "memory-high",
        "memory_percent",
        "",
        "percent",
        _above,
        "Memory use came to {value}, more than {limit}. Halve MAX_PERSISTENT_SESSIONS "
        "and PERSISTENT_SESSION_TIMEOUT, or run fewer web workers.",
    ),
]


def sentences(
    values: Mapping[str, float | None], limits: Mapping[str, float]
) -> Iterator[str]:
    """Yield what to look at, of figures by their key and limits by their rule.

    A figure without data suggests nothing, and so does one of a few turns, and a rule
    that is not there.
    """
    for each in ALL:
        value, limit = values.get(each.key), limits.get(each.rule)
        if value is None or limit is None or _is_of_few(each, values):
            continue
        if each.is_bad(value, limit):
            yield each.words.format(
                value=wording.shown(value, each.unit),
                limit=wording.shown(limit, each.unit),
            )


def _is_of_few(advice: Advice, values: Mapping[str, float | None]) -> bool:
    return bool(advice.samples) and (values.get(advice.samples) or 0) < _FEW
