"""The health checks: what they found last, and how it was over time."""

from collections.abc import Sequence

from monitoring import charts, probing, wording
from monitoring.charts import Words
from monitoring.dashboard.panel import Panel, Row, Table
from monitoring.dashboard.points import Points
from monitoring.models import CheckResult
from monitoring.registry import HEALTHY


def overall(results: Sequence[CheckResult]) -> str | None:
    """Return the worst of what they found; None: there is no fresh result."""
    return probing.worst(each.status for each in results) if results else None


def label(result: CheckResult) -> str:
    """Return what a check is called."""
    return result.name.replace("_", " ")


def panel(points: Points, results: Sequence[CheckResult]) -> Panel:
    """Show the worst state of each step, and what each check found last."""
    states = _states(points)
    ran, bad = points.whole("check_ms").count, points.whole("checks_bad").count
    words = Words(
        key="checks",
        title="Health checks",
        desc=_told(ran, bad),
    )
    times, end = points.window.times, points.window.end
    return Panel(
        key=words.key,
        title=words.title,
        sentence=words.desc,
        picture=charts.strip(words, states, times=times, end=end),
        legend=charts.states(),
        compared=_results(results),
        table=_past(points, states),
    )


def _told(ran: int, bad: int) -> str:
    if not ran:
        return "No check is noted of this time: no data."
    found = f"{bad:,} of them did not find" if bad else "each found"
    return f"{wording.counted(ran, 'check')} ran, and {found} everything healthy."


def _states(points: Points) -> list[str | None]:
    """Return the worst state of each step; healthy where only good ones are noted."""
    steps = points.steps("check_ms")
    states: list[str | None] = [HEALTHY if step.count else None for step in steps]
    window = points.window
    trouble = CheckResult.objects.filter(
        at__gte=window.begin, at__lt=window.end
    ).exclude(status=HEALTHY)
    for at, status in trouble.order_by().values_list("at", "status"):
        place = (at - window.begin) // window.range.step
        states[place] = probing.worst([states[place] or HEALTHY, status])
    return states


def _results(results: Sequence[CheckResult]) -> Table | None:
    rows = [
        Row(
            label(each),
            [each.status, each.sentence, wording.duration(each.took_ms)],
        )
        for each in results
    ]
    return Table(["Check", "State", "What it found", "Took"], rows) if rows else None


def _past(points: Points, states: Sequence[str | None]) -> Table:
    rows = [
        Row(wording.moment(at), [state])
        for at, state in zip(points.window.times, states, strict=True)
        if state is not None
    ]
    return Table(["From (UTC)", "Worst state"], rows[::-1])
