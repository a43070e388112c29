"""What each gate said at the last tick, as rows of a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flags import recalling
from flags.gates import spending
from flags.gates import words as figures
from flags.gates.knowledge import Knowledge
from flags.gates.spending import Spending
from flags.models import Rollout
from flags.plans import Plan
from flags.readings import Kind, Reading, Verdict
from flags.rollout_pages import words

_NONE = "–"
_WITH_ARMS = {Kind.HARM, Kind.SUCCESS}


@dataclass(frozen=True, slots=True)
class Row:
    """A gate's word, and the numbers that it was judged by."""

    reading: Reading
    treatment: str
    control: str
    ratio: str

    @property
    def label(self) -> str:
        """The gate's name."""
        return words.label(self.reading.key)

    @property
    def verdict(self) -> str:
        """What it found, in a word or two."""
        return words.VERDICTS[self.reading.verdict]

    @property
    def consequence(self) -> str:
        """What becomes of the rollout when it fails."""
        return words.consequence(self.reading)

    @property
    def needs(self) -> str:
        """About how much more it takes to tell; empty where that can't be said."""
        count, left_s = self.reading.needed_count, self.reading.needed_s
        if not count or f"{figures.count(count)} more" in self.reading.sentence:
            return ""  # the sentence has said it
        time = f" (about {words.span(left_s)})" if left_s else ""
        return f"about {count:,} more conversations{time}"


@dataclass(frozen=True, slots=True)
class Group:
    """The gates of one kind."""

    key: str
    title: str
    hint: str
    rows: Sequence[Row]
    has_arms: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """How probable a gate's false alarm may be over the ramp; 0–1."""

    label: str
    spending: Spending
    alpha: str
    spent: str
    left: str

    @property
    def percent(self) -> float:
        """How much of it is spent, 0–100."""
        return min(100.0, 100 * self.spending.spent / self.spending.alpha)


@dataclass(frozen=True, slots=True)
class Told:
    """The gates' words, and of which moment they are; None: no tick has spoken yet.

    `note` says so where they are of an earlier tick.
    """

    at: datetime | None
    groups: Sequence[Group] = ()
    firing: Sequence[Row] = ()
    note: str = ""


def told(rollout: Rollout, knowledge: Knowledge) -> Told:
    """Return what the gates said at the newest tick; success, at the last look."""
    ticks = rollout.decisions.filter(channel="automation").order_by("-number")
    last = ticks.first()
    if last is None:
        return Told(at=None)
    recalled = recalling.newest(rollout, last)
    readings = recalled.readings
    looked_at = knowledge.judged.at if knowledge.judged else None
    by_kind = groups(readings, looked_at=looked_at)
    return Told(last.at, by_kind, firing(readings), recalled.note)


def groups(
    readings: Sequence[Reading], *, looked_at: datetime | None = None
) -> list[Group]:
    """Return readings by kind: harm first, which is what nobody may overlook.

    `looked_at` is when success was judged last; None: not known.
    """
    found = []
    for kind, (title, hint) in words.KINDS.items():
        rows = [_row(each) for each in readings if each.kind == kind]
        last = ""
        if kind is Kind.SUCCESS and looked_at:
            last = f" Last judged on {words.moment(looked_at)}."
        if rows:
            has_arms = kind in _WITH_ARMS
            found.append(Group(str(kind), title, hint + last, rows, has_arms))
    return found


def firing(readings: Iterable[Reading]) -> list[Row]:
    """Return the gates that fail; one that is only shown asks for nothing."""
    failed = (each for each in readings if each.verdict is Verdict.FAIL)
    return [_row(each) for each in failed if each.is_required]


def budgets(knowledge: Knowledge, plan: Plan) -> list[Budget]:
    """Return what each harm gate may spend on false alarms, has spent, has left."""
    return [
        Budget(
            label=words.label(key),
            spending=each,
            alpha=figures.share(each.alpha),
            spent=figures.share(each.spent),
            left=figures.share(each.left),
        )
        for key, each in spending.by_gate(knowledge, plan).items()
    ]


def _row(reading: Reading) -> Row:
    numbers = reading.numbers
    ratio = numbers.get("ratio") if reading.kind is Kind.HARM else None
    return Row(
        reading=reading,
        treatment=_arm(numbers, "t"),
        control=_arm(numbers, "c"),
        ratio=f"×{words.SPACE}{ratio:.2g}" if ratio is not None else _NONE,
    )


def _arm(numbers: Mapping[str, float | None], arm: str) -> str:
    count, failed = numbers.get(f"n_{arm}"), numbers.get(f"failed_{arm}")
    rate = numbers.get(f"rate_{arm}")
    if count is None:
        return _NONE
    if failed is None:
        return f"{count:,.0f}"
    share = f" ({_share(rate)})" if rate is not None else ""
    return f"{failed:,.0f} of {count:,.0f}{share}"


def _share(ratio: float) -> str:
    return figures.share(ratio).replace(" ", words.SPACE)
