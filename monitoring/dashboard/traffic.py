"""How much there is to do, and how much of it fails."""

from collections.abc import Mapping, Sequence

from monitoring import wording
from monitoring.charts import Limit, Words
from monitoring.charts.parts import MAX_SERIES
from monitoring.dashboard.links import Links
from monitoring.dashboard.panel import Drawing, Panel, Row, Table, Values, over_time
from monitoring.dashboard.points import Points
from monitoring.history.summary import Summary

_OTHERS = "others"


def turns(points: Points, links: Links) -> Panel:
    """Show the turns by how they ended."""
    counts = _counts(points, "turns")
    total = sum(counts.values())
    parts = ", ".join(f"{count:,} {label}" for label, count in counts.items())
    drawing = Drawing(
        words=Words(
            key="turns",
            title="Turns",
            desc=f"{wording.counted(total, 'turn')} ended: {parts}."
            if total
            else "No turn is noted of this time: no data.",
            unit="turns",
        ),
        series=_stacked(points, "turns", first=("complete", "failed", "stopped")),
        show=wording.number,
        is_bars=True,
        has_turns=True,
    )
    return over_time(points, drawing, links=links, more=links.to("All these turns"))


def requests(points: Points, links: Links) -> Panel:
    """Show the HTTP requests by the class of their status."""
    counts = _counts(points, "requests")
    total, failed = sum(counts.values()), counts.get("5xx", 0)
    drawing = Drawing(
        words=Words(
            key="requests",
            title="Requests",
            desc=f"{wording.counted(total, 'request')} answered, {failed:,} of them "
            "with a status of 500 or above."
            if total
            else "No request is noted of this time: no data.",
            unit="requests",
        ),
        series=_stacked(points, "requests", first=("2xx", "3xx", "4xx", "5xx")),
        show=wording.number,
        is_bars=True,
    )
    return over_time(points, drawing, links=links)


def error_share(points: Points, links: Links, thresholds: Mapping[str, float]) -> Panel:
    """Show which share of the turns failed."""
    ended, failed = points.whole("turns"), points.whole("errors")
    shares = [
        _share(bad, all_)
        for bad, all_ in zip(points.steps("errors"), points.steps("turns"), strict=True)
    ]
    drawing = Drawing(
        words=Words(
            key="error-share",
            title="Failed turns",
            desc=f"{failed.count:,} of {wording.counted(ended.count, 'turn')} failed: "
            f"{wording.percent(_share(failed, ended))}."
            if ended.count
            else "Without turns there is no share of failed ones: no data.",
            unit="%",
        ),
        series={"failed": shares},
        show=wording.percent,
        limit=percent_limit(thresholds, "high-error-rate"),
        has_turns=True,
    )
    return over_time(points, drawing, links=links)


def error_codes(points: Points, links: Links) -> Panel:
    """Show what failed, by code, each with its turns."""
    counts = _counts(points, "errors")
    rows = [
        Row(code, [f"{count:,}"], links.turns(error_code=code))
        for code, count in counts.items()
    ]
    has_turns = points.whole("turns").count > 0
    drawing = Drawing(
        words=Words(
            key="error-codes",
            title="Errors by code",
            desc=_worst_code(counts, has_turns=has_turns),
            unit="turns",
        ),
        series=_stacked(points, "errors"),
        show=wording.number,
        is_bars=True,
    )
    compared = Table(["Code", "Turns"], rows) if rows else None
    return over_time(points, drawing, links=links, compared=compared)


def percent_limit(thresholds: Mapping[str, float], rule: str) -> Limit | None:
    """Return where a rule on a ratio worries, in percent; None: nowhere."""
    if rule not in thresholds:
        return None
    percent = thresholds[rule] * 100
    return Limit(percent, f"alert at {wording.percent(percent)}")


def _worst_code(counts: Mapping[str, int], *, has_turns: bool) -> str:
    if counts:
        code, count = max(counts.items(), key=lambda each: each[1])
        return f"The most frequent error is {code}: {wording.counted(count, 'turn')}."
    return "No turn failed." if has_turns else "No turn is noted of this time: no data."


def _share(part: Summary, whole: Summary) -> float | None:
    return 100 * part.count / whole.count if whole.count else None


def _counts(points: Points, name: str) -> dict[str, int]:
    """Return how many there were of each label, the most frequent first."""
    counts = {label: points.whole(name, label).count for label in points.labels(name)}
    return dict(sorted(counts.items(), key=lambda each: -each[1]))


def _stacked(
    points: Points, name: str, *, first: Sequence[str] = ()
) -> dict[str, Values]:
    """Return the steps of each label, as few as a chart bears: the rest are added up.

    Those that come first are there in any case, so that they keep their colours.
    """
    labels = [*first, *(each for each in _counts(points, name) if each not in first)]
    if len(labels) > MAX_SERIES:
        shown, rest = labels[: MAX_SERIES - 1], labels[MAX_SERIES - 1 :]
    else:
        shown, rest = labels, []
    known = {*points.labels(name)}
    stack = {label: _numbers(points, name, {label} & known) for label in shown}
    return stack | ({_OTHERS: _numbers(points, name, {*rest} & known)} if rest else {})


def _numbers(points: Points, name: str, labels: set[str]) -> Values:
    if not labels:
        return [None] * len(points.window.times)
    return [each.count or None for each in points.steps(name, *sorted(labels))]
