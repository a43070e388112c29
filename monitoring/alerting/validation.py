"""What is wrong with a rule, before it is stored."""

import math
from collections.abc import Iterator, Mapping

from monitoring import registry
from monitoring.alerting.transitions import ABOVE
from monitoring.models import AlertRule

MAX_WINDOW_S = 86_400
MIN_REPEAT_S = 60


def problems(rule: AlertRule) -> Mapping[str, str]:
    """Return what is wrong, in words, by the column that is to be changed."""
    return dict(_problems(rule))


def _problems(rule: AlertRule) -> Iterator[tuple[str, str]]:
    yield from _of_metric(rule)
    yield from _of_windows(rule)
    yield from _of_thresholds(rule)
    yield from _of_repeats(rule)
    known = registry.switches()
    if rule.switch and rule.switch not in known:
        yield "switch", _unknown("setting", rule.switch, known)


def _of_metric(rule: AlertRule) -> Iterator[tuple[str, str]]:
    known = {metric.name: metric for metric in registry.metrics()}
    if rule.metric not in known:
        yield "metric", _unknown("metric", rule.metric, sorted(known))
        return
    if not rule.label:
        return
    labels = known[rule.metric].labels
    if labels is None:
        yield "label", f"{rule.metric} has no parts: leave the label empty."
    elif rule.label not in (parts := sorted(labels())):
        yield "label", _unknown("part", rule.label, parts)


def _of_windows(rule: AlertRule) -> Iterator[tuple[str, str]]:
    window, short = _number(rule, "window_s"), _number(rule, "short_window_s")
    if window is None:
        return
    if not 1 <= window <= MAX_WINDOW_S:
        yield "window_s", f"It must be between 1 and {MAX_WINDOW_S:,} seconds (a day)."
    if short is not None and not 1 <= short < window:
        yield (
            "short_window_s",
            f"It must be shorter than the window of {window:,.0f} seconds, and at "
            f"least 1; leave it empty to look at one window only.",
        )


def _of_thresholds(rule: AlertRule) -> Iterator[tuple[str, str]]:
    threshold, clear = _number(rule, "threshold"), _number(rule, "clear_threshold")
    for column, given in (("threshold", threshold), ("clear_threshold", clear)):
        if given is not None and not math.isfinite(given):
            yield column, f"It must be a finite number, not {given}."
            return
    if threshold is None or clear is None:
        return
    is_above = rule.comparison == ABOVE
    if (clear > threshold) if is_above else (clear < threshold):
        side = "at or under" if is_above else "at or over"
        yield (
            "clear_threshold",
            f"A rule that fires {rule.comparison} {threshold:g} is over {side} it: "
            f"{clear:g} is on the wrong side.",
        )


def _of_repeats(rule: AlertRule) -> Iterator[tuple[str, str]]:
    repeat = _number(rule, "repeat_s")
    if repeat is not None and 0 < repeat < MIN_REPEAT_S:
        yield (
            "repeat_s",
            f"People would be told again all the time: give {MIN_REPEAT_S} seconds at "
            f"least, or 0 to tell them once.",
        )


def _number(rule: AlertRule, column: str) -> float | None:
    """Return what was given; None where a form left it empty or could not read it."""
    given: float | None = getattr(rule, column)
    return given


def _unknown(what: str, given: str, known: list[str]) -> str:
    listed = ", ".join(known) or "none"
    return f"There is no {what} {given!r}. There are: {listed}."
