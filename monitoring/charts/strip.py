"""How something was, stretch by stretch: the worse, the taller."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby, pairwise

from monitoring.charts.frame import Frame, drawn, time_axis
from monitoring.charts.markup import Svg, at, tag
from monitoring.charts.parts import STATE_SHARES, Words

_HEIGHT, _TOP = 74, 6


def strip(
    words: Words,
    states: Sequence[str | None],
    *,
    times: Sequence[datetime],
    end: datetime,
) -> Svg:
    """Draw `healthy`, `degraded` or `unhealthy` for each stretch; None: no data.

    One begins at each of the times and lasts to the next one, the last to `end`.

    Raises: ValueError for another state, or another number of states than of times.
    """
    if len(states) != len(times):
        raise ValueError(f"{len(states)} states are given for {len(times)} times.")
    if wrong := set(states) - {*STATE_SHARES, None}:
        names = ", ".join(STATE_SHARES)
        raise ValueError(f"{wrong} are no states; expected are {names} or None.")
    frame = Frame(times[0] if times else end, end, _HEIGHT, _TOP)
    content = [*_blocks(frame, states, [*times, end]), *time_axis(frame)]
    return drawn(words, frame, content, is_empty=not any(states))


def _blocks(
    frame: Frame, states: Sequence[str | None], edges: Sequence[datetime]
) -> Iterator[str]:
    """Yield one block for neighbours of the same state."""
    stretches = zip(states, pairwise(edges), strict=bool(states))
    for state, group in groupby(stretches, key=lambda stretch: stretch[0]):
        spans = [span for _, span in group]
        if state is None:
            continue
        left, right = frame.x(spans[0][0]), frame.x(spans[-1][1])
        y = frame.y(STATE_SHARES[state])
        yield tag(
            "rect",
            class_=f"chart-state chart-{state}",
            x=at(left),
            width=at(max(right - left, 1)),
            y=at(y),
            height=at(frame.bottom - y),
        )
