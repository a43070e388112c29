"""The rules as they are stored: the first ones, edits, and what is refused."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from monitoring import registry
from monitoring.alerting import defaults, rules
from monitoring.models import AlertRule

pytestmark = pytest.mark.django_db
RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "RUNBOOK.md"


def _rule(**columns: Any) -> AlertRule:
    given: dict[str, Any] = {
        "name": "mine",
        "summary": "It is so.",
        "metric": "error_ratio",
        "window_s": 900,
        "threshold": 0.1,
    }
    return AlertRule(**given | columns)


def _refusal(**columns: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        _rule(**columns).full_clean()
    return caught.value.message_dict


def _anchors() -> Iterator[str]:
    for line in RUNBOOK.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            words = re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower())
            yield words.replace(" ", "-")


def test_a_new_site_has_every_default_and_each_is_a_rule_that_can_be_stored() -> None:
    stored = {rule.name: rule for rule in AlertRule.objects.all()}

    assert set(stored) == defaults.NAMES
    for rule in stored.values():
        rule.full_clean()


def test_what_an_operator_edited_is_not_seeded_again() -> None:
    AlertRule.objects.filter(name="high-error-rate").update(threshold=0.2)
    AlertRule.objects.filter(name="disk-low").delete()

    assert rules.seed() == ["disk-low"]
    assert rules.seed() == []
    assert rules.threshold("high-error-rate") == 0.2


def test_a_threshold_without_a_row_is_the_declared_one() -> None:
    AlertRule.objects.all().delete()

    assert rules.threshold("low-hit-ratio") == 0.5
    assert rules.threshold("no-such-rule") is None


@pytest.mark.parametrize("name", sorted(defaults.NAMES))
def test_every_default_has_a_place_in_the_runbook(name: str) -> None:
    rule = AlertRule.objects.get(name=name)

    document, _, anchor = rule.runbook.partition("#")

    assert document == "docs/RUNBOOK.md"
    assert anchor in set(_anchors())


def test_every_switch_of_a_default_is_offered() -> None:
    switches = set(
        AlertRule.objects.exclude(switch="").values_list("switch", flat=True)
    )

    assert switches <= set(registry.switches())


@pytest.mark.parametrize(
    ("columns", "column", "words"),
    [
        ({"metric": "eror_ratio"}, "metric", "There is no metric 'eror_ratio'."),
        ({"metric": "eror_ratio"}, "metric", "error_ratio, errors_per_hour"),
        ({"threshold": math.nan}, "threshold", "finite"),
        ({"threshold": math.inf}, "threshold", "finite"),
        ({"clear_threshold": -math.inf}, "clear_threshold", "finite"),
        ({"window_s": 0}, "window_s", "between 1 and 86,400 seconds"),
        ({"window_s": 86_401}, "window_s", "between 1 and 86,400 seconds"),
        ({"short_window_s": 900}, "short_window_s", "shorter than the window of 900"),
        ({"short_window_s": 0}, "short_window_s", "at least 1"),
        ({"clear_threshold": 0.2}, "clear_threshold", "wrong side"),
        (
            {"comparison": "below", "clear_threshold": 0.05},
            "clear_threshold",
            "wrong side",
        ),
        ({"label": "disk"}, "label", "has no parts"),
        (
            {"metric": "check_state", "label": "dsk"},
            "label",
            "There is no part 'dsk'. There are: ",
        ),
        ({"switch": "ALERT_ON_ALL"}, "switch", "ALERT_ON_LOW_CACHE_HIT_RATIO"),
        ({"name": "not a slug"}, "name", "slug"),
        ({"comparison": "beside"}, "comparison", "beside"),
        ({"repeat_s": 59}, "repeat_s", "60 seconds at least, or 0"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_words(
    columns: dict[str, Any], column: str, words: str
) -> None:
    refusal = _refusal(**columns)

    assert words in " ".join(refusal[column])


@pytest.mark.parametrize(
    "columns",
    [
        {"clear_threshold": 0.1},
        {"comparison": "below", "clear_threshold": 0.1},
        {"metric": "check_state", "label": "disk"},
        {"metric": "job_failures", "label": "monitoring.evaluate_alerts"},
        {"short_window_s": 899},
        {"repeat_s": 0},
        {"repeat_s": 60},
        {"switch": "ALERT_ON_LOW_CACHE_HIT_RATIO"},
    ],
)
def test_what_can_be_watched_is_taken(columns: dict[str, Any]) -> None:
    _rule(**columns).full_clean()


def test_a_rule_of_a_newer_release_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rule = _rule(name="newer", metric="of_a_newer_release")

    told = [rules.tell_if_broken(rule) for _ in range(3)]

    assert told == [True, True, True]
    assert caplog.text.count("alerts.unknown_metric") == 1
