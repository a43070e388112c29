"""The endpoints' parts: null where there is nothing, the worst part decides."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring import insights, metrics, sections, shapes
from monitoring.figures import Figures
from monitoring.models import JobRun, Sample
from tests.chat import stored

pytestmark = pytest.mark.django_db


def _figures() -> Figures:
    return Figures(timezone.now())


def _turns(*outcomes: str, variant: str = "on", **fields: Any) -> None:
    for outcome in outcomes:
        answer = stored.turn(stored.conversation())
        answer.generations.update(variant=variant, session_outcome=outcome, **fields)


def test_without_data_ratios_and_times_are_null_and_say_so() -> None:
    management = sections.session_management(_figures())
    errors = sections.errors(_figures())

    for part, ratio in (
        (management["cache_performance"], "cache_hit_ratio"),
        (management["session_recovery"], "recovery_rate"),
        (errors, "error_rate_percent"),
    ):
        assert part[ratio] is None
        assert (part["samples"], part["status"]) == (0, "no_data")
    conversations = sections.conversations(_figures())
    assert conversations["average_messages_per_session"] is None
    assert conversations["total_messages"] == 0
    for operation in sections.operations(_figures()).values():
        count, *times = operation.values()
        assert count == 0
        assert set(times) == {None}


def test_without_both_variants_nothing_is_saved() -> None:
    _turns("hit", prompt_tokens=10, cached_tokens=0, duration_ms=5)

    figures = _figures()

    assert figures.reduction_percent is None
    assert figures.improvement_percent is None
    summary = sections.performance_summary(figures)
    assert summary["token_usage"]["samples"] == 0
    assert summary["response_times"]["status"] == "no_data"


def test_savings_are_the_treatment_against_control() -> None:
    _turns("hit", prompt_tokens=200, cached_tokens=100, duration_ms=50)
    _turns("", variant="off", prompt_tokens=220, cached_tokens=0, duration_ms=40)

    figures = _figures()

    assert figures.reduction_percent == 50
    assert figures.improvement_percent == -25
    usage = sections.session_performance(figures)["token_usage"]
    assert usage["measured_reduction_percent"] == 50
    assert usage["estimated_reduction_percent"] == 50
    assert (usage["samples"], usage["status"]) == (1, "measured")


def test_turns_that_reported_no_tokens_are_no_samples_of_tokens() -> None:
    _turns("hit", prompt_tokens=None, cached_tokens=None, duration_ms=50)
    _turns("", variant="off", prompt_tokens=None, cached_tokens=None, duration_ms=40)

    summary = sections.performance_summary(_figures())

    assert summary["token_usage"] == {
        "estimated_reduction_percent": None,
        "samples": 0,
        "status": "no_data",
    }
    assert summary["response_times"]["samples"] == 1


@pytest.mark.parametrize(
    ("outcomes", "cache", "recovery"),
    [
        (["created"], "no_data", "no_data"),
        (["hit"] * 9 + ["recovered"], "healthy", "healthy"),
        (["hit", "topped_up"], "healthy", "healthy"),
        (["hit", "recovered"], "healthy", "attention"),
        (["hit", "recovered", "stateless"], "attention", "attention"),
    ],
)
def test_few_hits_and_many_recoveries_need_attention(
    outcomes: list[str], cache: str, recovery: str
) -> None:
    _turns(*outcomes)

    management = sections.session_management(_figures())

    assert management["cache_performance"]["status"] == cache
    assert management["session_recovery"]["status"] == recovery


@pytest.mark.parametrize(("count", "status"), [(18, "healthy"), (19, "high")])
def test_the_pool_is_high_where_some_are_about_to_be_closed(
    count: int, status: str
) -> None:
    stored.put(MAX_PERSISTENT_SESSIONS=20, CLEANUP_BATCH_SIZE=5)
    for _ in range(count):
        stored.registered()

    usage = sections.session_management(_figures())["memory_usage"]

    assert usage["status"] == status
    assert usage["usage_percentage"] == 5 * count


@pytest.mark.parametrize(
    ("age_s", "status"), [(None, "overdue"), (1000, "overdue"), (800, "healthy")]
)
def test_a_cleanup_is_overdue_after_three_of_its_periods(
    age_s: int | None, status: str
) -> None:
    if age_s is not None:
        at = timezone.now() - timedelta(seconds=age_s)
        JobRun.objects.create(
            name="chat.clean_up_sessions",
            slot="a slot",
            holder="a worker",
            started_at=at,
            ended_at=at,
            outcome=JobRun.Outcome.DONE,
        )

    cleanup = sections.session_management(_figures())["cleanup_operations"]

    assert cleanup["status"] == status
    assert (cleanup["last_cleanup"] is None) is (age_s is None)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["healthy", "no_data"], "healthy"),
        (["healthy", "attention"], "degraded"),
        (["overdue", "no_data"], "degraded"),
        (["high"], "degraded"),
    ],
)
def test_one_part_that_needs_attention_is_enough(
    statuses: list[str], expected: str
) -> None:
    parts = {str(number): {"status": each} for number, each in enumerate(statuses)}

    assert sections.worst({"active_sessions": 3, **parts}) == expected


@pytest.mark.parametrize(("is_tracking", "count"), [(True, 0), (False, None)])
def test_what_nobody_counts_is_null_and_not_zero(
    is_tracking: bool, count: int | None
) -> None:
    stored.put(ENABLE_PERFORMANCE_TRACKING=is_tracking)
    metrics.count(sessions_expired=4)

    management = sections.session_management(_figures())

    assert management["sessions_expired"] == 4
    assert management["sessions_recovered"] == count
    assert management["session_recovery"]["total_recoveries"] == count


def test_only_samples_of_the_last_day_are_summarised() -> None:
    for age_h, value in ((1, 5.0), (23, 7.0), (25, 1000.0)):
        at = timezone.now() - timedelta(hours=age_h)
        Sample.objects.create(name="create_session", value=value, at=at)
    metrics.observe("something_else", 3)

    begun = sections.operations(_figures())["create_session"]

    assert (begun["count"], begun["avg_duration_ms"]) == (2, 6)


def test_an_hour_is_the_last_hour_and_a_day_the_last_day() -> None:
    ages_h = {"hit": 0.9, "recovered": 1.1, "stateless": 23.9, "topped_up": 24.1}
    for outcome, age_h in ages_h.items():
        at = timezone.now() - timedelta(hours=age_h)
        _turns(outcome, created_at=at, ended_at=at, error_code="GEMINI_TIMEOUT")
    figures = _figures()

    errors = sections.errors(figures)
    management = sections.session_management(figures)

    assert (errors["error_rate_per_hour"], errors["samples"]) == (1, 1)
    assert errors["total_errors_24h"] == errors["by_code"]["GEMINI_TIMEOUT"] == 3
    assert management["cache_performance"]["cache_hit_ratio"] == 1
    assert management["cache_performance"]["samples"] == 1
    assert management["session_recovery"]["recovery_rate"] == 0


def test_sentences_claim_a_saving_only_where_it_was_measured() -> None:
    nothing = insights.sentences(_figures())
    _turns("hit", prompt_tokens=100, cached_tokens=0, duration_ms=40)
    _turns("", variant="off", prompt_tokens=50, cached_tokens=0, duration_ms=80)

    said = insights.sentences(_figures())

    assert not any(character.isdigit() for character in nothing[2] + nothing[3])
    assert "saves no tokens: a turn takes 100.0 % more" in said[2]
    assert "complete 50.0 % sooner" in said[3]


def test_every_field_of_the_parts_is_a_field_of_the_shapes() -> None:
    _turns("hit")
    figures = _figures()

    management = sections.session_management(figures)
    performance = sections.session_performance(figures)
    summary = sections.performance_summary(figures)

    assert _tree(shapes.SessionManagement().dict()) == _tree(management)
    assert _tree(shapes.PerformanceMetrics().dict()) == _tree(performance)
    assert _tree(shapes.PerformanceSummary().dict()) == _tree(summary)
    assert _tree(shapes.Operations().dict()) == _tree(sections.operations(figures))
    assert _tree(shapes.Errors().dict()) == _tree(
        sections.errors(figures) | {"by_code": None}
    )
    assert shapes.System().dict().keys() == sections.system().keys()


def test_the_environment_never_has_the_key(settings: Any) -> None:
    settings.GEMINI_API_KEY = "a-secret-of-ours"

    said = json.dumps(sections.environment())

    assert "a-secret-of-ours" not in said
    assert sections.environment()["gemini_api_key"] == "configured"


def _tree(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return names without values."""
    return {
        name: _tree(value) if isinstance(value, Mapping) else None
        for name, value in part.items()
    }
