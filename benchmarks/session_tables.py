"""What each arm of a comparison took, beside control, as a table and in words."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.figures import Figure, Section, ratio
from benchmarks.rounds import Samples
from benchmarks.session_arms import ARMS, CONTROL, STRATEGIES

# Less is noise, or the labels that a transcript has and structured contents have not.
_WORTH_PERCENT = 1.0


@dataclass(frozen=True, slots=True)
class _Measure:
    key: str
    name: str
    unit: str = ""
    scale: float = 1.0


_BILLED = _Measure("billed_tokens", "billed-equivalent input tokens")
_CACHED = _Measure("cached_tokens", "cached tokens")
_SPARED = (
    _Measure("prompt_tokens", "raw prompt tokens"),
    _BILLED,
    _Measure("sent_bytes", "bytes sent to the model", "kB", 1e-3),
)
_MEASURES = (
    _SPARED[0],
    _CACHED,
    _BILLED,
    _Measure("output_tokens", "output tokens"),
    _SPARED[2],
    _Measure("first_p50_ms", "first token p50", "ms"),
    _Measure("first_p95_ms", "first token p95", "ms"),
)


def section(title: str, samples: Samples, *, notes: Sequence[str]) -> Section:
    """Compare the strategies with control, conversation by conversation."""
    figures = [figure for each in _MEASURES for figure in _figures(samples, each)]
    figures += [
        Figure(
            f"saved by the provider's cache, {arm}",
            "%",
            samples.of("saved_percent", arm),
        )
        for arm in ARMS
    ]
    words = [word for name in STRATEGIES for word in _words(samples, name)]
    return Section(title, figures, [*words, *_facts(samples), *notes])


def _figures(samples: Samples, measure: _Measure) -> Iterator[Figure]:
    control = samples.of(measure.key, CONTROL)
    for arm in ARMS:
        values = samples.of(measure.key, arm)
        scaled = tuple(value * measure.scale for value in values)
        yield Figure(f"{measure.name}, {arm}", measure.unit, scaled)
    if all(control):
        for name in STRATEGIES:
            ratios = ratio(samples.of(measure.key, name), control)
            yield Figure(f"{measure.name}, {name} ÷ {CONTROL}", "×", ratios)


def _words(samples: Samples, name: str) -> Iterator[str]:
    """Say what a strategy saves, above all where it saves nothing."""
    if not any(samples.of(_CACHED.key, name)):
        yield f"{name}: the provider's cache saves nothing, it is never hit."
    for measure in _SPARED:
        times = _times(samples, measure.key, name)
        saved_percent = 100 * (1 - times)
        if saved_percent >= _WORTH_PERCENT:
            yield f"{name} saves {saved_percent:.0f} % of {CONTROL}'s {measure.name}."
        else:
            yield f"{name} saves no {measure.name}: {times:.2f} × {CONTROL}'s."
    times = _times(samples, "first_p50_ms", name)
    if times >= 1:
        yield f"{name}: the first token comes no sooner, {times:.2f} × {CONTROL}'s p50."
    length = _times(samples, "output_tokens", name)
    if abs(length - 1) * 100 >= _WORTH_PERCENT:
        yield (
            f"{name} was answered in {length:.2f} × {CONTROL}'s tokens, which come "
            "back in later prompts: raw prompt tokens differ by that, too."
        )


def _times(samples: Samples, key: str, name: str) -> float:
    return statistics.median(ratio(samples.of(key, name), samples.of(key, CONTROL)))


def _facts(samples: Samples) -> Iterator[str]:
    longest = (f"{max(samples.of('longest_tokens', arm)):,.0f} {arm}" for arm in ARMS)
    yield f"The longest prompt, in tokens: {', '.join(longest)}."
    calls = (f"{max(samples.of('calls', arm)):.0f} {arm}" for arm in ARMS)
    yield f"Calls for a conversation at most: {', '.join(calls)}."
    cut = (f"{sum(samples.of('cut', arm)):.0f} {arm}" for arm in ARMS)
    yield f"Answers that were cut at the limit: {', '.join(cut)}."
