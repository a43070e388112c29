"""Who gets a feature: the decision, and the state of the flag that it is made from.

A caller that must not act on an old state calls `evaluate` in the transaction that it
acts in: the flag is read there, so a kill that was committed before is obeyed.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.db import connection

from flags import values
from flags.bucketing import BUCKETS, bucket

_READ = "SELECT everyone, percent, salt FROM flags_flag WHERE name = %s"


class Variant(StrEnum):
    """What a subject gets: `on` is the treatment, `off` the control."""

    ON = "on"
    OFF = "off"


class Reason(StrEnum):
    """Why, in OpenFeature's words."""

    STATIC = "STATIC"  # at 0 or 100 % everybody gets the same
    SPLIT = "SPLIT"  # by the subject's bucket
    DEFAULT = "DEFAULT"  # growth asks newcomers only, and this one was here before
    DISABLED = "DISABLED"  # switched off
    ERROR = "ERROR"  # there is no such flag


@dataclass(frozen=True, slots=True)
class State:
    """A flag as it stands. `percent` is 0–100 with two decimals."""

    key: str
    is_on: bool
    percent: Decimal
    salt: str

    @property
    def threshold(self) -> int:
        """How many of the 10,000 buckets get the feature."""
        return round(self.percent * (BUCKETS // 100)) if self.is_on else 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A decision. `bucket` None: it did not depend on one."""

    variant: Variant
    reason: Reason
    bucket: int | None = None

    @property
    def is_on(self) -> bool:
        """Whether the subject gets the feature."""
        return self.variant is Variant.ON


def evaluate(flag: str, *, targeting_key: str, held: str = "") -> Evaluation:
    """Decide for a subject by the flag as it is now; one query.

    `held` is the variant that it has already, empty for a newcomer.
    """
    return decide(state(flag), targeting_key=targeting_key, held=held)


def reaches_anybody(flag: str) -> bool:
    """Tell whether the flag, as it is now, gives its feature to anybody; one query."""
    found = state(flag)
    return found is not None and found.threshold > 0


def state(flag: str) -> State | None:
    """Read the flag's state; None where it has no row. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [flag])
        row = cursor.fetchone()
    if row is None:
        return None
    everyone, percent, salt = row
    if everyone:  # waffle's word for all, whatever the percent
        percent = 100
    # SQLite keeps decimals as floats and booleans as numbers.
    is_on = everyone is None or bool(everyone)
    return State(flag, is_on, values.plain(Decimal(str(percent))), salt)


def decide(state: State | None, *, targeting_key: str, held: str = "") -> Evaluation:
    """Decide for a subject.

    Growth admits newcomers only, so who holds `off` keeps it until 100 % takes in
    everybody. A smaller percent sends those above it back, and `off` sends everybody.
    """
    if state is None:
        return Evaluation(Variant.OFF, Reason.ERROR)
    if not state.is_on:
        return Evaluation(Variant.OFF, Reason.DISABLED)
    threshold = state.threshold
    if threshold in {0, BUCKETS}:
        variant = Variant.ON if threshold else Variant.OFF
        return Evaluation(variant, Reason.STATIC)
    place = bucket(flag_key=state.key, targeting_key=targeting_key, salt=state.salt)
    if held == Variant.OFF:
        return Evaluation(Variant.OFF, Reason.DEFAULT, place)
    variant = Variant.ON if place < threshold else Variant.OFF
    return Evaluation(variant, Reason.SPLIT, place)
