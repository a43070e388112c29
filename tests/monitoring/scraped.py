"""`/metrics` as Prometheus reads it."""

from collections.abc import Mapping

import httpx2
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Samples = Mapping[tuple[str, Labels], float]


def families(text: str) -> dict[str, Metric]:
    """Parse an answer with Prometheus's own parser; no family comes twice."""
    found = list(text_string_to_metric_families(text))
    assert len({family.name for family in found}) == len(found)
    return {family.name: family for family in found}


def samples(text: str) -> Samples:
    """Return every number by its name and labels; none comes twice."""
    found = [
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in families(text).values()
        for sample in family.samples
    ]
    assert len(dict(found)) == len(found)
    return dict(found)


def read(url: str) -> str:
    """Return a site's answer."""
    answer = httpx2.get(f"{url}/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


def of(found: Samples, name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have these labels."""
    wanted = labels.items()
    return sum(
        value
        for (each, pairs), value in found.items()
        if each == name and wanted <= pairs
    )


def cumulative(text: str) -> Samples:
    """Return what must never go down: counters and the parts of histograms."""
    counted = {
        sample.name
        for family in families(text).values()
        if family.type in {"counter", "histogram"}
        for sample in family.samples
    }
    return {name: value for name, value in samples(text).items() if name[0] in counted}
