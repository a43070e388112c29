"""A report's figures are what the single values say."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitoring.history import state
from monitoring.models import Alert, Incident, Total
from monitoring.reporting import body, text
from monitoring.reporting.periods import Window
from tests.monitoring.reporting.conftest import DAY, Put

Pulse = Callable[[datetime, int], None]

NOON = DAY + timedelta(hours=12)
WINDOW = Window("hour", NOON)
LATER = NOON + timedelta(hours=2)


def _figures(window: Window = WINDOW, now: datetime = LATER) -> dict[str, Any]:
    found = body.computed(window, now)
    return {
        figure["key"]: figure
        for section in found["sections"]
        for figure in section["figures"]
    }


def _values(*keys: str) -> list[float | None]:
    figures = _figures()
    return [figures[key]["value"] for key in keys]


@pytest.mark.django_db
def test_a_site_without_a_past_has_no_data_and_no_advice() -> None:
    found = body.computed(WINDOW, LATER)

    assert found["advice"] == []
    assert found["minutes_recorded"] == 0
    for key, figure in _figures().items():
        counted_anyway = key in {"alerts_fired", "incidents", "minutes_recorded"}
        assert figure["value"] == (0 if counted_anyway else None), key


def test_an_hour_in_which_nothing_happened_has_zeros(pulse: Pulse) -> None:
    pulse(NOON, 60)

    assert _values("turns", "errors", "checks_bad", "jobs_failed") == [0, 0, 0, 0]
    assert _values("error_ratio", "turn_ms_p95", "cost_usd") == [None, None, None]
    assert _values("minutes_recorded", "memory_percent") == [60, 44.0]
    assert _figures()["turns"]["change"] == "no data before"


def test_while_tracking_was_off_no_turn_is_no_data(pulse: Pulse) -> None:
    pulse(NOON, 60)
    state.put(turns_from=NOON + timedelta(minutes=90))

    keys = ("turns", "errors", "session_turns", "requests")
    assert _values(*keys, "session_operations.expired") == [None] * 5
    assert _values("checks_bad", "jobs_failed") == [0, 0]
    (remark,) = text.remarks(body.computed(WINDOW, LATER) | {"is_settled": True})
    assert "tracking was off" in remark


def test_tracking_that_was_on_again_before_changes_nothing(pulse: Pulse) -> None:
    pulse(NOON, 60)
    state.put(turns_from=NOON)

    assert _values("turns") == [0]


def test_times_are_those_of_the_single_turns(put: Put, pulse: Pulse) -> None:
    pulse(NOON, 60)
    dice = random.Random(7)
    times = [round(dice.lognormvariate(7, 0.6), 1) for _ in range(600)]
    for place, time_ms in enumerate(times):
        label = "on" if place % 2 else "off"
        put("turn_ms", NOON + timedelta(seconds=place * 6), [time_ms], label)

    figures = _figures()

    assert figures["turn_ms_avg"]["value"] == pytest.approx(sum(times) / 600)
    for share, key in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        exact = sorted(times)[round(share * 599)]
        assert figures[f"turn_ms_{key}"]["value"] == pytest.approx(exact, rel=0.02)
    on_times = sorted(times[1::2])
    assert figures["turn_ms_p95.on"]["value"] == pytest.approx(
        on_times[round(0.95 * 299)], rel=0.02
    )


def test_errors_are_counted_by_their_code(put: Put, pulse: Pulse) -> None:
    pulse(NOON - timedelta(hours=1), 120)
    put("turns", NOON, [1] * 18, "complete")
    put("turns", NOON, [1] * 2, "error")
    put("errors", NOON, [1], "TIMEOUT")
    put("errors", NOON, [1], "UPSTREAM")
    put("turns", NOON - timedelta(minutes=1), [1] * 10, "complete")
    put("errors", NOON - timedelta(minutes=1), [1], "BUSY")

    figures = _figures()

    assert figures["turns"]["value"] == 20
    assert figures["turns"]["change"] == "+100 %"
    assert figures["error_ratio"]["value"] == 0.1
    assert figures["error_ratio"]["change"] == "as before"
    assert {key: f["value"] for key, f in figures.items() if "errors." in key} == {
        "errors.BUSY": 0,
        "errors.TIMEOUT": 1,
        "errors.UPSTREAM": 1,
    }


def test_sessions_are_found_live_or_not(put: Put, pulse: Pulse) -> None:
    pulse(NOON, 60)
    for label, count in {
        "hit": 6,
        "topped_up": 1,
        "recovered": 2,
        "stateless": 1,
    }.items():
        put("session_found", NOON, [1] * count, label)
    put("session_found", NOON, [1] * 5, "created")
    put("session_operations", NOON, [1] * 3, "expired")

    figures = _figures()

    assert figures["session_hit_ratio"]["value"] == 0.6
    assert figures["session_recovered_ratio"]["value"] == 0.2
    assert figures["session_turns"]["value"] == 10
    assert figures["session_found.created"]["value"] == 5
    assert figures["session_operations.expired"]["value"] == 3
    assert figures["session_operations.evicted"]["value"] == 0


def test_tokens_and_cost_are_of_each_variant(put: Put, pulse: Pulse) -> None:
    pulse(NOON, 60)
    for label, tokens in (("on", [100.0, 300.0]), ("off", [500.0])):
        put("billed_tokens", NOON, tokens, label)
        put("cost_usd", NOON, [each / 1e6 for each in tokens], label)

    figures = _figures()

    assert figures["billed_tokens.on"]["value"] == 400
    assert figures["billed_tokens_per_turn.on"]["value"] == 200
    assert figures["billed_tokens_per_turn.off"]["value"] == 500
    assert figures["cost_usd"]["value"] == pytest.approx(0.0009)
    assert figures["cost_usd.off"]["value"] == pytest.approx(0.0005)
    assert "prompt_tokens.on" not in figures


def test_what_happens_at_an_edge_belongs_to_the_period_that_begins_there(
    put: Put, pulse: Pulse
) -> None:
    pulse(NOON - timedelta(hours=1), 180)
    put("turns", NOON, [1], "complete")
    put("turns", NOON + timedelta(minutes=59), [1], "complete")
    put("turns", NOON + timedelta(minutes=60), [1], "complete")
    for at in (NOON, NOON + timedelta(minutes=60)):
        Alert.objects.create(
            name=f"at-{at:%H}",
            severity="warning",
            summary="-",
            state="firing",
            fired_at=at,
        )
        Incident.objects.create(
            title="-", opened_by="olga", started_at=NOON, detected_at=at
        )

    assert _values("turns", "alerts_fired", "incidents") == [2, 1, 1]


def test_a_quarter_is_read_from_minutes_and_a_day_from_hours(
    put: Put, pulse: Pulse
) -> None:
    pulse(NOON, 60)
    for minute in range(0, 60, 10):
        put("turns", NOON + timedelta(minutes=minute), [1], "complete")

    quarter = _figures(Window("quarter", NOON + timedelta(minutes=15)))
    day = _figures(Window("day", DAY), NOON + timedelta(days=1))

    assert quarter["turns"]["value"] == 1
    assert quarter["minutes_recorded"]["value"] == 15
    assert day["turns"]["value"] == 6


@pytest.mark.parametrize(("seconds", "is_settled"), [(-1, False), (0, True)])
@pytest.mark.django_db
def test_it_is_settled_once_it_is_recorded_for_good(
    recorded: Callable[[datetime], None], seconds: int, is_settled: bool
) -> None:
    recorded(WINDOW.end + timedelta(seconds=seconds))

    assert body.computed(WINDOW, LATER)["is_settled"] is is_settled


@pytest.mark.django_db
def test_without_a_recorder_nothing_is_settled() -> None:
    Total.objects.all().delete()

    assert not body.computed(WINDOW, LATER)["is_settled"]


def test_it_says_what_the_guide_would_do(put: Put, pulse: Pulse) -> None:
    pulse(NOON, 60)
    put("memory_percent", NOON, [95.0])
    for _ in range(20):
        put("turn_ms", NOON, [3001.0], "on")
        put("turns", NOON, [1], "complete")
    put("session_found", NOON, [1] * 9, "hit")
    put("session_found", NOON, [1] * 11, "stateless")

    slow, cold, full = body.computed(WINDOW, LATER)["advice"]

    assert slow.startswith("Answers take 3,001 ms on average, more than 3,000 ms.")
    assert cold.startswith("Only 45 % of the turns with a session to find found it")
    assert full.startswith("Memory use came to 95 %, more than 90 %.")


def test_a_share_of_sessions_is_told_of_the_turns_that_had_one(
    put: Put, pulse: Pulse
) -> None:
    pulse(NOON, 60)
    put("turns", NOON, [1] * 100, "complete")
    put("session_found", NOON, [1] * 12, "hit")
    put("session_found", NOON, [1] * 8, "recovered")

    [advice] = body.computed(WINDOW, LATER)["advice"]

    assert advice.startswith("40 % of the turns with a session to find had to recover")


def test_a_few_turns_suggest_nothing(put: Put, pulse: Pulse) -> None:
    pulse(NOON, 60)
    put("turn_ms", NOON, [9000.0] * 19, "on")
    put("turns", NOON, [1] * 19, "error")
    put("errors", NOON, [1] * 19, "UPSTREAM")
    put("session_found", NOON, [1] * 19, "recovered")

    assert body.computed(WINDOW, LATER)["advice"] == []
