"""The rules that are stored: the first ones, and where they worry."""

from collections.abc import Mapping

import structlog

from monitoring import registry
from monitoring.alerting import defaults
from monitoring.alerting.transitions import Terms
from monitoring.models import AlertRule

log = structlog.get_logger(__name__)

_told: set[tuple[str, str]] = set()


def seed() -> list[str]:
    """Store each default rule that is not there; return their names.

    One that is there is the operators'. Safe to run at every start.
    """
    stored = set(AlertRule.objects.values_list("name", flat=True))
    missing = [each for each in defaults.ALL if each.name not in stored]
    AlertRule.objects.bulk_create(
        [AlertRule(name=each.name, **each.columns) for each in missing],
        ignore_conflicts=True,
    )
    return [each.name for each in missing]


def threshold(name: str) -> float | None:
    """Return where a rule worries, in its metric's unit; None: there is no such rule.

    Without a row of its own it is the default.
    """
    return thresholds().get(name)


def thresholds() -> Mapping[str, float]:
    """Return where every rule worries, in one query."""
    declared = {each.name: each.threshold for each in defaults.ALL}
    return declared | dict(AlertRule.objects.values_list("name", "threshold"))


def terms(rule: AlertRule) -> Terms:
    """Return when a rule worries."""
    return Terms(
        comparison=rule.comparison,
        threshold=rule.threshold,
        clear_threshold=rule.clear_threshold,
        min_samples=rule.min_samples,
        for_s=rule.for_s,
        keep_firing_s=rule.keep_firing_s,
    )


def is_watched(rule: AlertRule) -> bool:
    """Tell whether a rule is on, and the setting that may switch it off, too.

    A setting that can't be read lets alerts through.
    """
    if not rule.is_enabled:
        return False
    try:
        return not rule.switch or registry.is_switched_on(rule.switch)
    except Exception:
        log.exception("alerts.switch_failed", rule=rule.name, switch=rule.switch)
        return True


def is_broken(rule: AlertRule) -> bool:
    """Tell whether nobody offers its metric, as after a rollback of the version."""
    return all(metric.name != rule.metric for metric in registry.metrics())


def tell_if_broken(rule: AlertRule) -> bool:
    """Log once per process that a rule can't be watched; tell whether it can't."""
    is_bad = is_broken(rule)
    if is_bad and (rule.name, rule.metric) not in _told:
        _told.add((rule.name, rule.metric))
        log.error("alerts.unknown_metric", rule=rule.name, metric=rule.metric)
    return is_bad
