"""The live sessions: whether they are found, how many there are, who gets them."""

from collections.abc import Mapping

from monitoring import wording
from monitoring.charts import Words
from monitoring.dashboard.links import Links
from monitoring.dashboard.panel import Drawing, Panel, Row, Table, over_time
from monitoring.dashboard.points import Points
from monitoring.dashboard.traffic import percent_limit
from monitoring.history.names import FOUND

_WORDS = {
    "hit": "found live and up to date",
    "topped_up": "found live, messages were missing",
    "recovered": "had to be recovered",
    "stateless": "answered without",
    "created": "first turn: created",
}
# What becomes of sessions beside turns.
_OPERATIONS = {
    "created": "created",
    "expired": "expired, unused for too long",
    "evicted": "evicted to make room",
    "closed": "closed with their conversation or process",
    "forced": "closed by a clean-up at a start",
    "orphaned": "left by a process that died",
    "switched_off": "closed because sessions were switched off",
}


def hits(points: Points, links: Links, thresholds: Mapping[str, float]) -> Panel:
    """Show which share of the persistent turns found their session live."""
    found, valid = points.whole("session_found", "hit").count, _valid(points)
    pairs = zip(
        points.steps("session_found", "hit"),
        points.steps("session_found", *FOUND),
        strict=True,
    )
    drawing = Drawing(
        words=Words(
            key="hits",
            title="Sessions found live",
            desc=f"{found:,} of {wording.counted(valid, 'persistent turn')} found "
            "their session live and up to date: "
            f"{wording.percent(100 * found / valid)}."
            if valid
            else "No persistent turn has looked for a session: no data.",
            unit="%",
        ),
        series={
            "found live": [
                100 * hit.count / all_.count if all_.count else None
                for hit, all_ in pairs
            ]
        },
        show=wording.percent,
        limit=percent_limit(thresholds, "low-hit-ratio"),
        top=100,
        has_turns=True,
    )
    return over_time(points, drawing, links=links, compared=_outcomes(points, links))


def pool(points: Points, links: Links) -> Panel:
    """Show how many sessions are live, beside how many may be."""
    live = points.levels("sessions_live")
    most = points.levels("sessions_maximum")
    now, peak = _last(live), points.whole("sessions_live").high
    drawing = Drawing(
        words=Words(
            key="pool",
            title="Live sessions",
            desc=f"{wording.counted(now, 'live session')} most recently, of at most "
            f"{wording.number(_last(most))}; {wording.number(peak)} at the peak."
            if now is not None
            else "No count of live sessions is noted of this time: no data.",
            unit="sessions",
        ),
        series={"live": live, "at most": most},
        show=wording.number,
    )
    return over_time(points, drawing, links=links, compared=_operations(points))


def rollout(points: Points, links: Links) -> Panel:
    """Show for which percent of the conversations the flag was on."""
    steps = points.levels("rollout_percent")
    last = _last(steps)
    drawing = Drawing(
        words=Words(
            key="rollout",
            title="Rollout",
            desc=f"Persistent sessions are on for {wording.percent(last)} of the new "
            "conversations, most recently."
            if last is not None
            else "No percent is noted of this time: no data.",
            unit="%",
        ),
        series={"rollout": steps},
        show=wording.percent,
        top=100,
    )
    return over_time(points, drawing, links=links)


def _valid(points: Points) -> int:
    return points.whole("session_found", *FOUND).count


def _outcomes(points: Points, links: Links) -> Table | None:
    counts = {
        label: points.whole("session_found", label).count
        for label in points.labels("session_found")
    }
    rows = [
        Row(words, [f"{counts[label]:,}"], links.turns(session_outcome=label))
        for label, words in _WORDS.items()
        if counts.get(label)
    ]
    return Table(["Session", "Turns"], rows) if rows else None


def _operations(points: Points) -> Table | None:
    """Say how often each was; None where none was or nothing is noted."""
    counts = {
        words: points.whole("session_operations", label).count
        for label, words in _OPERATIONS.items()
    }
    rows = [Row(words, [f"{count:,}"]) for words, count in counts.items() if count]
    return Table(["Sessions", "How many"], rows) if rows else None


def _last(values: list[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)
