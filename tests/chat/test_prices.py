"""What an answer costs by the price list."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chat import prices
from chat.prices import Price

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ANSWER: dict[str, Any] = {
    "prompt_tokens": 10_000,
    "cached_tokens": 4000,
    "output_tokens": 500,
    "thoughts_tokens": 300,
}


def test_cached_tokens_cost_a_tenth_and_thoughts_what_output_costs() -> None:
    cost = prices.cost_usd(Price(0.75, 3.75), **ANSWER)

    assert cost == pytest.approx((6000 * 0.75 + 4000 * 0.075 + 800 * 3.75) / 1_000_000)


@pytest.mark.parametrize("missing", ANSWER)
def test_what_is_not_known_in_every_part_has_no_cost(missing: str) -> None:
    assert prices.cost_usd(Price(0.75, 3.75), **ANSWER | {missing: None}) is None


def test_a_model_that_is_not_on_the_list_has_no_price_and_no_cost() -> None:
    price = prices.of("gemini-99-flash", NOW)

    assert price is None
    assert prices.cost_usd(price, **ANSWER) is None


def test_the_introductory_price_ends_with_the_year() -> None:
    before = prices.of("gemini-3.8-flash", datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    after = prices.of("gemini-3.8-flash", datetime(2027, 1, 1, tzinfo=UTC))

    assert (before, after) == (Price(0.75, 3.75), Price(1.50, 7.50))


@pytest.mark.parametrize(
    ("prompt_tokens", "is_known"), [(200_000, True), (200_001, False)]
)
def test_the_dearer_price_of_long_prompts_is_not_guessed(
    prompt_tokens: int, is_known: bool
) -> None:
    price = prices.of("gemini-2.5-pro", NOW)

    cost = prices.cost_usd(price, **ANSWER | {"prompt_tokens": prompt_tokens})

    assert (cost is not None) is is_known
