"""The axis of time: which moments stand below a chart."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import ceil

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS_S = (
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR for each in (1, 2, 3, 6, 12)),
    *(each * _DAY for each in (1, 2, 5)),
)
_MOST = 6


def ticks(begin: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield up to six round moments and their labels: a time, or a day at midnight."""
    span_s = (end - begin).total_seconds()
    days = ceil(span_s / _MOST / _DAY)
    step_s = next((step for step in _STEPS_S if span_s / step <= _MOST), days * _DAY)
    first = -(-int(begin.timestamp()) // step_s) * step_s
    moment = datetime.fromtimestamp(first, UTC)
    while moment <= end:
        yield moment, _label(moment)
        moment += timedelta(seconds=step_s)


def _label(moment: datetime) -> str:
    is_midnight = moment.hour == moment.minute == 0
    return f"{moment.day} {moment:%b}" if is_midnight else f"{moment:%H:%M}"
