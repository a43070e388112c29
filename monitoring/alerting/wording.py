"""Alerts and rules in words: values with their unit, never a bare number."""

from monitoring import registry
from monitoring.models import Alert, AlertRule
from monitoring.wording import amount

_SPANS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def unit(metric: str) -> str:
    """Return a metric's unit; empty where nobody offers it in this release."""
    try:
        return registry.metric(metric).unit
    except KeyError:
        return ""


def newest(alert: Alert) -> str:
    """Return what an alert's metric was last; empty for one without a rule."""
    if alert.rule is None:
        return ""
    return amount(alert.value, unit(alert.rule.metric))


def condition(rule: AlertRule) -> str:
    """Return when a rule fires."""
    of = unit(rule.metric)
    side = "worse than" if of == "state" else rule.comparison
    words = f"{side} {amount(rule.threshold, of)}"
    return f"{words} for {span(rule.for_s)}" if rule.for_s else words


def window(rule: AlertRule) -> str:
    """Return what a rule looks at."""
    whole = span(rule.window_s)
    if rule.short_window_s is None:
        return whole
    return f"{whole}, and the last {span(rule.short_window_s)}"


def span(seconds: int) -> str:
    """Return a duration in its largest whole unit."""
    for length, name in _SPANS:
        if seconds >= length and seconds % length == 0:
            count = seconds // length
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    return "0 seconds"
