"""`/metrics`: everything is read from the database, so it is of all processes.

Prometheus's own files for several processes grew with every reload, and the worker's
would be others than the web's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from django.conf import settings
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector, CollectorRegistry

from monitoring import jobs, registry, series, timetable
from monitoring.models import Total
from monitoring.registry import Levels
from monitoring.series import Counter, Histogram, Plain, Series

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
Rows = list[tuple[dict[str, str], int]]


def text() -> bytes:
    """Return it all in Prometheus's text format; about a dozen short queries."""
    everything = CollectorRegistry()
    everything.register(_Database())
    return generate_latest(everything)


class _Database(Collector):
    """What the database knows, read once for each scrape."""

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: no second collector is there to clash with."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the totals, which are of one moment, and then the levels."""
        stored = dict(Total.objects.values_list("name", "value"))
        rows = _by_name(stored)
        for each in series.declared():
            yield _told(each, rows, stored)
        for level in (_BUILD, _JOBS, *registry.levels()):
            yield _level(level)


def _by_name(stored: Mapping[str, int]) -> Mapping[str, Rows]:
    rows: dict[str, Rows] = defaultdict(list)
    for total, value in stored.items():
        if parts := series.parsed(total):
            name, labels = parts
            rows[name].append((labels, value))
    return rows


def _told(each: Series, rows: Mapping[str, Rows], stored: Mapping[str, int]) -> Metric:
    if isinstance(each, Plain):
        return _plain(each, stored)
    if isinstance(each, Counter):
        return _counter(each, rows)
    return _histogram(each, rows)


def _plain(each: Plain, stored: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(each.name, each.help, labels=[each.label])
    for value, total in each.totals.items():
        family.add_metric([value], stored.get(total, 0))
    return family


def _counter(each: Counter, rows: Mapping[str, Rows]) -> Metric:
    names = [*each.labels, *each.fixed]
    family = CounterMetricFamily(each.name, each.help, labels=names)
    for values, count in _matching(each.labels, rows.get(each.name, [])):
        family.add_metric([*values, *each.fixed.values()], count)
    return family


def _histogram(each: Histogram, rows: Mapping[str, Rows]) -> Metric:
    names = [*each.labels, *each.fixed]
    family = HistogramMetricFamily(each.name, each.help, labels=names)
    counts: dict[tuple[str, ...], list[tuple[float, int]]] = defaultdict(list)
    for values, count in _matching(
        (*each.labels, "le"), rows.get(f"{each.name}_bucket", [])
    ):
        counts[values[:-1]].append((float(values[-1]), count))
    sums = dict(_matching(each.labels, rows.get(f"{each.name}_sum", [])))
    for values, found in counts.items():
        family.add_metric(
            [*values, *each.fixed.values()],
            buckets=_cumulated(found, each.bounds),
            sum_value=sums.get(values, 0) / each.per_unit,
        )
    return family


def _cumulated(
    found: list[tuple[float, int]], bounds: Iterable[float]
) -> list[tuple[str, float]]:
    """Return how many were up to each bound; right for former bounds, too."""
    return [
        (name, sum(count for bound, count in found if bound <= float(name)))
        for name in (*map(str, bounds), "+Inf")
    ]


def _matching(
    labels: tuple[str, ...], rows: Rows
) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the labels' values; rows of a release that had other labels are left."""
    for found, value in rows:
        if found.keys() == set(labels):
            yield tuple(found[label] for label in labels), value


def _level(level: Levels) -> Metric:
    labels = [level.label] if level.label else []
    family = GaugeMetricFamily(level.name, level.help, labels=labels)
    for value, number in level.read().items():
        family.add_metric([value] if level.label else [], number)
    return family


def _last_successes() -> dict[str, float]:
    found = timetable.last_successes([job.name for job in jobs.registered()])
    return {name: at.timestamp() for name, at in found.items()}


_BUILD = Levels(
    name="oracle_build_info",
    help="The release that answers.",
    label="version",
    read=lambda: {settings.VERSION: 1},
)
_JOBS = Levels(
    name="oracle_job_last_success_timestamp_seconds",
    help="When each background job last ended well, in the last week.",
    label="job",
    read=_last_successes,
)
