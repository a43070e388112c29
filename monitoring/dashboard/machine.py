"""What runs and waits, and the machine below it."""

from collections.abc import Mapping

from monitoring import wording
from monitoring.charts import Limit, Words
from monitoring.dashboard.links import Links
from monitoring.dashboard.panel import Drawing, Panel, Show, Values, over_time
from monitoring.dashboard.points import Points


def queue(points: Points, links: Links) -> Panel:
    """Show the tasks that wait for a worker, and the answers under way."""
    return _panel(
        points,
        links,
        words=Words(
            key="queue",
            title="Queue and answers under way",
            desc=_queue(
                points.whole("queue_waiting").high, points.whole("answers_running").high
            ),
            unit="",
        ),
        series={
            "tasks waiting, most": _highs(points, "queue_waiting"),
            "answers under way, most": _highs(points, "answers_running"),
        },
        show=wording.number,
    )


def memory(points: Points, links: Links, thresholds: Mapping[str, float]) -> Panel:
    """Show how much of the machine's memory is in use."""
    worry, most = thresholds.get("memory-high"), points.whole("memory_percent").high
    return _panel(
        points,
        links,
        words=Words(
            key="memory",
            title="Memory of the machine",
            desc="No use of memory is noted of this time: no data."
            if most is None
            else f"At most {wording.percent(most)} of the memory was in use.",
            unit="%",
        ),
        series={"in use": points.levels("memory_percent")},
        show=wording.percent,
        limit=Limit(worry, f"alert at {wording.percent(worry)}") if worry else None,
        top=100,
    )


def disk(points: Points, links: Links) -> Panel:
    """Show how much room is left for the data."""
    low = points.whole("disk_free_gb").low
    return _panel(
        points,
        links,
        words=Words(
            key="disk",
            title="Free disk",
            desc="No free disk is noted of this time: no data."
            if low is None
            else f"At least {wording.number(low, 'GB')} were free where the data is.",
            unit="GB",
        ),
        series={"free": points.levels("disk_free_gb")},
        show=lambda value: wording.number(value, "GB"),
    )


def _panel(  # noqa: PLR0913 - all but the points and links by name
    points: Points,
    links: Links,
    *,
    words: Words,
    series: Mapping[str, Values],
    show: Show,
    limit: Limit | None = None,
    top: float | None = None,
) -> Panel:
    drawing = Drawing(words=words, series=series, show=show, limit=limit, top=top)
    return over_time(points, drawing, links=links)


def _highs(points: Points, name: str) -> list[float | None]:
    """Return the most of each step, which is what the sentence is of, too."""
    return [each.high for each in points.steps(name)]


def _queue(waiting: float | None, running: float | None) -> str:
    known = [
        f"{wording.counted(count, one)} {verb}"
        for count, one, verb in (
            (waiting, "task", "waiting"),
            (running, "answer", "under way"),
        )
        if count is not None
    ]
    if not known:
        return "Nothing of the queue is noted of this time: no data."
    return f"At most {' and '.join(known)}."
