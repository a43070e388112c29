"""What a turn adds to `/metrics` when it ends."""

from dataclasses import replace

import pytest
from django.conf import LazySettings

from chat import ratelimit, tallies
from chat.completion import Usage
from chat.errors import RateLimited
from chat.models import Generation
from chat.tallies import Ended
from monitoring import pending, series
from monitoring.models import Total
from tests.chat import stored

pytestmark = pytest.mark.django_db

_MODEL = "gemini-3.8-flash"
_TURN = Ended(
    status="complete",
    strategy="history",
    variant="on",
    model=_MODEL,
    session_outcome="hit",
    usage=Usage(100, 60, 30, 7, 137),
    time_to_first_token_ms=70.0,
    duration_ms=1500.0,
)


def _counted() -> dict[tuple[str, str], int]:
    """Return what was added, by name and labels as text."""
    found = {}
    for name, value in Total.objects.values_list("name", "value"):
        if parts := series.parsed(name):
            found[parts[0], ",".join(parts[1].values())] = value
    return found


def test_a_good_turn_is_counted_with_its_tokens_and_times() -> None:
    tallies.count(_TURN)

    duration = "gen_ai_client_operation_duration_seconds"
    first = "gen_ai_client_operation_time_to_first_chunk_seconds"
    usage = "gen_ai_client_token_usage"
    assert _counted() == {
        ("oracle_turns_total", "complete,history,on,hit"): 1,
        ("oracle_tokens_total", f"prompt,on,{_MODEL}"): 100,
        ("oracle_tokens_total", f"cached,on,{_MODEL}"): 60,
        ("oracle_tokens_total", f"output,on,{_MODEL}"): 30,
        ("oracle_tokens_total", f"thoughts,on,{_MODEL}"): 7,
        (f"{duration}_bucket", f"{_MODEL},,2.56"): 1,
        (f"{duration}_sum", f"{_MODEL},"): 1_500_000,
        (f"{first}_bucket", f"{_MODEL},0.08"): 1,
        (f"{first}_sum", _MODEL): 70_000,
        (f"{usage}_bucket", f"input,{_MODEL},256.0"): 1,
        (f"{usage}_sum", f"input,{_MODEL}"): 100,
        (f"{usage}_bucket", f"output,{_MODEL},64.0"): 1,
        (f"{usage}_sum", f"output,{_MODEL}"): 37,
    }


def test_what_was_not_reported_or_measured_is_not_counted_as_zero() -> None:
    tallies.count(
        Ended(
            status="interrupted",
            strategy="stateless",
            variant="",
            model=_MODEL,
            error_code="SERVICE_UNAVAILABLE",
            usage=Usage(None, None, None, None, None),
        )
    )

    assert _counted() == {
        ("oracle_turns_total", "interrupted,stateless,none,none"): 1,
        ("oracle_turn_errors_total", "SERVICE_UNAVAILABLE"): 1,
    }


def test_an_error_names_its_type_beside_its_duration() -> None:
    tallies.count(replace(_TURN, status="failed", error_code="GEMINI_TIMEOUT"))

    name = "gen_ai_client_operation_duration_seconds_bucket"
    assert (name, f"{_MODEL},GEMINI_TIMEOUT,2.56") in _counted()


def test_models_that_nobody_configured_share_a_label(settings: LazySettings) -> None:
    settings.GEMINI_MODELS = [_MODEL]

    for number in range(5):
        tallies.count(replace(_TURN, model=f"somebody's-{number}"))

    models = {labels for name, labels in _counted() if name == "oracle_tokens_total"}
    assert models == {f"{kind},on,other" for kind in ("prompt", "cached")} | {
        f"{kind},on,other" for kind in ("output", "thoughts")
    }


def test_every_status_is_a_label_that_fits() -> None:
    for status in Generation.Status.values:
        tallies.count(replace(_TURN, status=status))

    turns = [name for name, _ in _counted() if name == "oracle_turns_total"]
    assert len(turns) == len(Generation.Status.values)


def test_nothing_is_counted_while_tracking_is_off() -> None:
    stored.put(ENABLE_PERFORMANCE_TRACKING=False)

    tallies.count(_TURN)

    assert _counted() == {}


def test_what_a_limit_refuses_is_counted_without_the_name_of_who_was_refused() -> None:
    pending.take(is_counting=True)

    for _ in range(4):
        try:
            ratelimit.spend(key="message:owner:7", per_minute=2, what="messages")
        except RateLimited:
            continue

    assert pending.take(is_counting=True) == tallies.REFUSALS.delta("message", by=2)
