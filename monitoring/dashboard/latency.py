"""How long people wait."""

from collections.abc import Mapping

from monitoring import wording
from monitoring.charts import Limit, Words
from monitoring.dashboard.links import Link, Links
from monitoring.dashboard.panel import Drawing, Panel, Row, Table, over_time
from monitoring.dashboard.points import Points
from monitoring.history.summary import Summary

_SLOW_RULE = "slow-answers"
_QUANTILES = ("p50", "p95", "p99")


def answers(points: Points, links: Links, thresholds: Mapping[str, float]) -> Panel:
    """Show how long whole answers took."""
    whole = points.whole("turn_ms")
    slow = links.to("The slowest 5 %", slower_than_ms=whole.p95) if whole.p95 else []
    return _spread(
        points,
        links,
        name="turn_ms",
        words=_words("answers", "Whole answers", "answer was complete", whole),
        limit=_limit(thresholds),
        more=slow,
    )


def first_texts(points: Points, links: Links) -> Panel:
    """Show how long it took until the first words were there."""
    whole = points.whole("first_text_ms")
    return _spread(
        points,
        links,
        name="first_text_ms",
        words=_words("first-text", "First words", "answer had its first words", whole),
    )


def variants(points: Points, links: Links) -> Panel:
    """Show the slow end of each variant beside the other."""
    wholes = {name: points.whole("turn_ms", name) for name in ("on", "off")}
    p95 = {name: whole.p95 for name, whole in wholes.items()}
    drawing = Drawing(
        words=Words(
            key="latency-variants",
            title="Whole answers by variant, p95",
            desc=_compared(p95),
            unit="ms",
        ),
        series={
            wording.variant(name): [s.p95 for s in points.steps("turn_ms", name)]
            for name in wholes
        },
        show=wording.duration,
        has_turns=True,
    )
    compared = Table(
        ["Variant", "Turns", *_QUANTILES],
        [
            Row(
                wording.variant(name),
                [wording.number(whole.count or None), *_quantiles(whole)],
                links.turns(variant=name) if whole.count else "",
            )
            for name, whole in wholes.items()
        ],
    )
    return over_time(points, drawing, links=links, compared=compared)


def _compared(p95: Mapping[str, float | None]) -> str:
    if not any(p95.values()):
        return "No answer of either variant is noted of this time: no data."
    found = [
        f"{wording.duration(value)} in {wording.variant(name)}"
        for name, value in p95.items()
    ]
    return f"95\u00a0% of the answers were complete within: {', '.join(found)}."


def _spread(  # noqa: PLR0913 - all but the points and links by name
    points: Points,
    links: Links,
    *,
    name: str,
    words: Words,
    limit: Limit | None = None,
    more: list[Link] | None = None,
) -> Panel:
    steps = points.steps(name)
    drawing = Drawing(
        words=words,
        series={
            "p50": [each.p50 for each in steps],
            "p95": [each.p95 for each in steps],
            "p99": [each.p99 for each in steps],
        },
        show=wording.duration,
        limit=limit,
        has_turns=True,
    )
    return over_time(points, drawing, links=links, more=more or ())


def _words(key: str, title: str, what: str, whole: Summary) -> Words:
    desc = "No time was measured: no data."
    if whole.p50 is not None:
        p50, p95, p99 = _quantiles(whole)
        desc = (
            f"Half of the time an {what} within {p50}; 95\u00a0% within {p95}, "
            f"99\u00a0% within {p99} ({whole.count:,} measured)."
        )
    return Words(key=key, title=title, desc=desc, unit="ms")


def _quantiles(whole: Summary) -> list[str]:
    return [wording.duration(each) for each in (whole.p50, whole.p95, whole.p99)]


def _limit(thresholds: Mapping[str, float]) -> Limit | None:
    if _SLOW_RULE not in thresholds:
        return None
    return Limit(thresholds[_SLOW_RULE], "alert at {value} on average")
