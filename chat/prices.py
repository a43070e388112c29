"""What Gemini charges for tokens, by its price list of October 2026.

https://ai.google.dev/gemini-api/docs/pricing, paid tier, in dollars.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

# A cached prompt token costs a tenth of another one.
CACHED_PRICE_RATIO = 0.1
_MILLION = 1_000_000
# From here on the Pro models cost more, which no figure of ours covers.
_LONG_PROMPT_TOKENS = 200_000
_DEARER_FROM = datetime(2027, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens. Thoughts are charged as output."""

    prompt: float
    output: float
    is_for_long_prompts: bool = True


_INTRODUCTORY, _REGULAR = Price(0.75, 3.75), Price(1.50, 7.50)
_INTRODUCED = {"gemini-3.6-flash", "gemini-3.7-flash", "gemini-3.8-flash"}
_PRICES = {
    "gemini-2.5-flash-lite": Price(0.10, 0.40),
    "gemini-2.5-flash": Price(0.30, 2.50),
    "gemini-2.5-pro": Price(1.25, 10.0, is_for_long_prompts=False),
    "gemini-3.1-flash-lite": Price(0.25, 1.50),
    "gemini-3.1-pro-preview": Price(2.0, 12.0, is_for_long_prompts=False),
    "gemini-3.5-flash-lite": Price(0.30, 2.50),
    "gemini-3.5-flash": Price(1.50, 9.0),
}


def of(model: str, at: datetime) -> Price | None:
    """Return what a model cost at a moment; None where the list has no such model."""
    if model in _INTRODUCED:
        return _INTRODUCTORY if at < _DEARER_FROM else _REGULAR
    return _PRICES.get(model)


def cost_usd(
    price: Price | None,
    *,
    prompt_tokens: int | None,
    cached_tokens: int | None,
    output_tokens: int | None,
    thoughts_tokens: int | None,
) -> float | None:
    """Return what an answer costs by the list; None where a part is not known."""
    counts = (prompt_tokens, cached_tokens, output_tokens, thoughts_tokens)
    if price is None or any(count is None for count in counts):
        return None
    prompt, cached, output, thoughts = (count or 0 for count in counts)
    if prompt > _LONG_PROMPT_TOKENS and not price.is_for_long_prompts:
        return None
    made = price.output * (output + thoughts)
    return (price.prompt * billed_tokens(prompt, cached) + made) / _MILLION


def billed_tokens(prompt_tokens: int, cached_tokens: int) -> float:
    """Return the uncached prompt tokens that would cost the same."""
    return prompt_tokens - (1 - CACHED_PRICE_RATIO) * cached_tokens
