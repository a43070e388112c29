"""Sketches answer like the values themselves, within 1 %."""

import json
import math
import random

import pytest

from monitoring.facts import percentile
from monitoring.history.sketch import ACCURACY, Sketch

SHARES = (0.0, 0.01, 0.25, 0.50, 0.75, 0.95, 0.99, 0.999, 1.0)
_DICE = random.Random(20_261_126)
SPREADS = {
    "one": [1234.5],
    "two far apart": [1.0, 60_000.0],
    "all the same": [42.0] * 100,
    "even": [_DICE.uniform(0, 5000) for _ in range(3000)],
    "with a long tail": [_DICE.lognormvariate(7, 1.5) for _ in range(5000)],
    "two humps": [
        *(_DICE.gauss(200, 10) for _ in range(900)),
        *(_DICE.gauss(20_000, 500) for _ in range(100)),
    ],
    "with zeros": [0.0] * 50 + [float(each) for each in range(50)],
    "tiny and huge": [10.0**power for power in range(-5, 12)],
}


@pytest.mark.parametrize("values", SPREADS.values(), ids=SPREADS)
@pytest.mark.parametrize("share", SHARES)
def test_a_quantile_is_at_most_1_percent_off(values: list[float], share: float) -> None:
    exact = percentile(sorted(values), share)

    found = Sketch.of(values).quantile(share)

    assert found == pytest.approx(exact, rel=ACCURACY + 1e-9, abs=0)


@pytest.mark.parametrize("values", SPREADS.values(), ids=SPREADS)
def test_parts_add_up_to_the_same_as_all_of_them(values: list[float]) -> None:
    parts = [values[start::7] for start in range(7)]

    merged = Sketch.merged(Sketch.of(part) for part in parts)

    assert merged == Sketch.of(values)
    assert merged.count == len(values)


@pytest.mark.parametrize("values", SPREADS.values(), ids=SPREADS)
def test_it_comes_back_from_json_as_it_was(values: list[float]) -> None:
    sketch = Sketch.of(values)

    stored = json.loads(json.dumps(sketch.runs))

    assert Sketch.merged([Sketch(tuple(stored))]) == sketch


def test_it_stays_small_however_many_values_it_has() -> None:
    values = [_DICE.lognormvariate(7, 1) for _ in range(50_000)]

    stored = json.dumps(Sketch.of(values).runs)

    assert len(stored) < 3000


def test_of_nothing_there_is_no_quantile() -> None:
    assert Sketch().quantile(0.5) is None
    assert Sketch.merged([]).quantile(0.5) is None


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_it_refuses_what_is_no_amount(value: float) -> None:
    with pytest.raises(ValueError, match="finite number from 0 on"):
        Sketch.of([1.0, value])
