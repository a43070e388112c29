"""The evidence of harm over time: a chart for each gate, drawn on the server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import F

from flags.gates import harms
from flags.gates import words as figures
from flags.gates.knowledge import Knowledge
from flags.models import Rollout
from flags.plans import Action, Harm, Plan
from flags.rollout_pages import words
from flags.situation import Move
from monitoring import charts
from monitoring.charts import Axes, Limit, Mark, Series, Svg, Words

MAX_POINTS = 300
_MAX_MARKS, _TABLE_ROWS = 12, 10
SPANS = {"all": "The whole rollout", "phase": "This phase", "6h": "The last 6 hours"}
_NAMES = {Move.HALVE: "halved", Move.ROLL_BACK: "back to 0"}


@dataclass(frozen=True, slots=True)
class Point:
    """A gate's evidence at a moment: now, and the highest there ever was."""

    at: datetime
    now: float | None
    peak: float | None


@dataclass(frozen=True, slots=True)
class Panel:
    """A gate's chart, in a sentence, as a picture and as figures.

    The picture is empty where there is nothing to draw.
    """

    key: str
    title: str
    sentence: str
    legend: Svg | str
    picture: Svg | str
    rows: Sequence[tuple[datetime, str, str]]


@dataclass(frozen=True, slots=True)
class Sample:
    """Decisions of a rollout, at equal steps, and the marks between them."""

    evidence: Sequence[tuple[datetime, Mapping[str, Sequence[float | None]] | None]]
    marks: Sequence[Mark]


def panels(
    rollout: Rollout, plan: Plan, knowledge: Knowledge, *, span: str, now: datetime
) -> Sequence[Panel]:
    """Return a chart for each harm gate, of at most `MAX_POINTS` decisions."""
    found = sample(rollout, since=_since(rollout, span, now))
    return [_panel_of(gate, rollout, knowledge, found) for gate in plan.harms]


def _panel_of(
    gate: Harm, rollout: Rollout, knowledge: Knowledge, found: Sample
) -> Panel:
    """Draw a gate that has seen both arms; one that has not only says so.

    Each window adds its weight, with or without data: that alone is no evidence, and
    must not look like some.
    """
    points = _points(gate.key, found)
    has_data = harms.has_data(knowledge, gate)
    if not points or not (has_data or rollout.phase_index):
        return _empty(gate, points)
    panel = _panel(gate, points, found.marks)
    if has_data:
        return panel
    return replace(panel, sentence=f"No data in this phase yet. {panel.sentence}")


def _empty(gate: Harm, points: Sequence[Point]) -> Panel:
    why = "not both arms have been seen" if points else "no tick has spoken"
    return Panel(
        key=gate.key,
        title=words.label(gate.key),
        sentence=f"No data yet: {why}.",
        legend="",
        picture="",
        rows=(),
    )


def sample(rollout: Rollout, *, since: datetime | None = None) -> Sample:
    """Read every n-th decision, so that there are few, and the newest is among them."""
    decisions = rollout.decisions.all()
    shown = decisions.filter(at__gte=since) if since else decisions
    last = decisions.order_by("-number").values_list("number", flat=True).first()
    first = shown.order_by("at").values_list("number", flat=True).first()
    if last is None or first is None:
        return Sample([], [])
    step = -(-(last - first + 1) // MAX_POINTS)
    numbers = range(last, first - 1, -step)
    rows = decisions.filter(number__in=list(numbers)).order_by("number")
    return Sample(
        evidence=list(rows.values_list("at", "inputs__evidence")),
        marks=_marks(rollout, since),
    )


def _since(rollout: Rollout, span: str, now: datetime) -> datetime | None:
    if span == "6h":
        return now - timedelta(hours=6)
    return rollout.phase_since if span == "phase" else None


def _marks(rollout: Rollout, since: datetime | None) -> list[Mark]:
    """Return where the percent changed, the newest of them."""
    moved = rollout.decisions.filter(action__in=words.MOVED)
    moved = moved.exclude(percent_before=F("percent_after"))
    if since:
        moved = moved.filter(at__gte=since)
    rows = moved.order_by("-number").values_list("at", "action", "percent_after")
    return [
        Mark(at, _NAMES.get(Move(action)) or words.percent(percent))
        for at, action, percent in reversed(rows[:_MAX_MARKS])
    ]


def _points(key: str, found: Sample) -> list[Point]:
    return [
        Point(at, *map(_from_log10, evidence[key]))
        for at, evidence in found.evidence
        if evidence and key in evidence  # a person's decision has none
    ]


def _from_log10(value: float | None) -> float:
    return 0.0 if value is None else 10.0**value


def _panel(gate: Harm, points: Sequence[Point], marks: Sequence[Mark]) -> Panel:
    proof, name = 1 / gate.alpha, words.label(gate.key)
    is_by_peak = gate.action is Action.ROLL_BACK
    series = [Series("Evidence now", [_drawn(each.now) for each in points])]
    if is_by_peak:
        series.append(Series("Highest so far", [_drawn(each.peak) for each in points]))
    sentence = _sentence(points, gate)
    picture = charts.line(
        Words(
            key=f"evidence-{gate.key.replace('_', '-')}",
            title=f"Evidence of harm: {name}",
            desc=sentence,
        ),
        series,
        Axes(times=[each.at for each in points], is_log=True),
        limit=Limit(proof, f"{figures.evidence(proof)} proves harm"),
        marks=marks,
    )
    return Panel(
        key=gate.key,
        title=name,
        sentence=sentence,
        legend=charts.legend([each.label for each in series]) if is_by_peak else "",
        picture=picture,
        rows=_rows(points),
    )


def _drawn(value: float | None) -> float | None:
    """Return a value that a logarithmic axis has a place for: 0 is before the first."""
    return max(value, 0.01) if value else None


def _sentence(points: Sequence[Point], gate: Harm) -> str:
    last, proof = points[-1], 1 / gate.alpha
    value = last.peak if gate.action is Action.ROLL_BACK else last.now
    now, most = figures.evidence(last.now or 0), figures.evidence(proof)
    verb = words.DOES[gate.action]
    if not last.now and not last.peak:
        return f"No evidence yet; at {most} it {verb}."
    if (value or 0) >= proof:
        return f"Evidence {now}, and harm was proved at {most}: it {verb}."
    highest = figures.evidence(last.peak or 0)
    return f"Evidence {now}, at most {highest} so far; at {most} it {verb}."


def _rows(points: Sequence[Point]) -> list[tuple[datetime, str, str]]:
    """Return some of the figures behind the chart, the newest first."""
    step = max(1, -(-len(points) // _TABLE_ROWS))
    return [
        (each.at, _figure(each.now), _figure(each.peak))
        for each in points[::-1][::step]
    ]


def _figure(value: float | None) -> str:
    return "no data" if value is None else figures.evidence(value)
