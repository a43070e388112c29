"""What `/metrics` makes of the totals."""

import pytest

from monitoring import exposition, metrics, registry, series
from monitoring.models import Total
from monitoring.registry import Levels
from monitoring.series import Counter, Histogram, Plain
from tests.monitoring import scraped
from tests.monitoring.scraped import Samples

pytestmark = pytest.mark.django_db

_COUNTER = Counter(
    name="oracle_test_things_total",
    help="Things.",
    labels=("kind",),
    fixed={"maker": "us"},
)
_SECONDS = Histogram(
    name="oracle_test_wait_seconds",
    help="Waits.",
    bounds=(0.1, 1.0),
    labels=("kind",),
    fixed={"maker": "us"},
)
_PLAIN = Plain(
    name="oracle_test_plain_total",
    help="Plain.",
    label="what",
    totals={"hit": "test_hits", "miss": "test_misses"},
)


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "_declared", dict(series._declared))
    monkeypatch.setattr(registry, "_levels", dict(registry._levels))
    series.declare(_COUNTER)
    series.declare(_SECONDS)
    series.declare(_PLAIN)


def _samples() -> Samples:
    return scraped.samples(exposition.text().decode())


def test_a_counter_has_its_labels_and_the_fixed_ones() -> None:
    metrics.count(**_COUNTER.delta('odd "kind"\n', by=3))

    found = _samples()

    labels = {"kind": 'odd "kind"\n', "maker": "us"}
    assert scraped.of(found, "oracle_test_things_total", **labels) == 3


def test_buckets_are_cumulative_and_the_last_one_is_the_count() -> None:
    for value in (0.05, 0.5, 0.7, 9):
        metrics.count(**_SECONDS.delta(value, "a"))

    found = _samples()

    name = "oracle_test_wait_seconds"
    buckets = [
        scraped.of(found, f"{name}_bucket", kind="a", le=bound)
        for bound in ("0.1", "1.0", "+Inf")
    ]
    assert buckets == [1, 3, 4]
    assert scraped.of(found, f"{name}_count", kind="a", maker="us") == 4
    assert scraped.of(found, f"{name}_sum", kind="a") == pytest.approx(10.25)


def test_bounds_of_an_earlier_release_still_count() -> None:
    metrics.count(**_SECONDS.delta(0.05, "a"))
    metrics.count(**{'oracle_test_wait_seconds_bucket{"kind":"a","le":"0.5"}': 2})

    found = _samples()

    name = "oracle_test_wait_seconds_bucket"
    assert scraped.of(found, name, le="0.1") == 1
    assert scraped.of(found, name, le="1.0") == 3
    assert scraped.of(found, name, le="+Inf") == 3


def test_labels_of_an_earlier_release_are_left_out() -> None:
    metrics.count(**{'oracle_test_things_total{"colour":"red"}': 2})
    metrics.count(**{"oracle_unheard_of_total{}": 2})

    found = _samples()

    assert scraped.of(found, "oracle_test_things_total") == 0
    assert scraped.of(found, "oracle_unheard_of_total") == 0


def test_totals_of_their_own_names_begin_at_zero() -> None:
    Total.objects.create(name="test_hits", value=7)

    found = _samples()

    assert scraped.of(found, "oracle_test_plain_total", what="hit") == 7
    assert ("oracle_test_plain_total", frozenset({("what", "miss")})) in found


def test_a_level_without_data_is_not_told() -> None:
    registry.register_levels(Levels(name="oracle_test_none", help="", read=dict))
    registry.register_levels(
        Levels(name="oracle_test_some", help="", read=lambda: {"": 5})
    )

    found = _samples()

    assert ("oracle_test_some", frozenset()) in found
    assert not any(name == "oracle_test_none" for name, _ in found)


def test_everything_has_a_help_and_a_type() -> None:
    for family in scraped.families(exposition.text().decode()).values():
        assert family.type in {"counter", "gauge", "histogram"}
        assert family.documentation


def test_a_name_of_any_length_can_be_counted() -> None:
    metrics.count(**_COUNTER.delta("x" * 500))

    assert scraped.of(_samples(), "oracle_test_things_total", kind="x" * 500) == 1
