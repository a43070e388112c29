"""Holds the readings of one rule's metric against it: what its alerts become."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitoring.alerting import rules, transitions
from monitoring.alerting.measuring import Readings, Wanted
from monitoring.alerting.transitions import RESOLVED, Standing, Terms
from monitoring.models import Alert, AlertRule
from monitoring.registry import Reading

# More parts of one metric than these are one alert together.
MAX_LABELS = 100
OTHERS = "others"
_LABEL_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one alert; `standing` None: there is to be none.

    `value` None: nothing was measured. `note` is added to the rule's sentence.
    """

    rule: AlertRule
    label: str
    alert: Alert | None
    standing: Standing | None
    value: float | None = None
    note: str = ""


def wanted(rule: AlertRule) -> list[Wanted]:
    """Return what a rule looks at: its window, and the short one if it has one."""
    windows = [rule.window_s, rule.short_window_s]
    return [Wanted(rule.metric, window) for window in windows if window is not None]


def judge(
    rule: AlertRule, alerts: Mapping[str, Alert], readings: Readings, now: datetime
) -> list[Verdict]:
    """Return what becomes of each open alert of a rule, and of each new one.

    An alert whose part has no reading is frozen.
    """
    court = _Court(
        rule=rule,
        terms=rules.terms(rule),
        windows=[_by_label(readings.get(each, ()), rule) for each in wanted(rule)],
        now=now,
    )
    labels = set(alerts).union(*court.windows) - {OTHERS}
    verdicts = [court.judge(label, alerts.get(label)) for label in sorted(labels)]
    return court.capped(verdicts, alerts.get(OTHERS))


def dismiss(rule: AlertRule, alerts: Iterable[Alert], now: datetime) -> list[Verdict]:
    """End what a rule does not watch any more; nobody knows whether it is fine."""
    return [
        Verdict(
            rule=rule,
            label=alert.label,
            alert=alert,
            standing=_ended(alert, now),
            note="no longer watched",
        )
        for alert in alerts
    ]


def standing(alert: Alert) -> Standing:
    """Return how far a stored alert is."""
    return Standing(
        state=alert.state,
        began_at=alert.began_at,
        fired_at=alert.fired_at,
        fine_since=alert.fine_since,
        frozen_since=alert.frozen_since,
        resolved_at=alert.resolved_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Court:
    """One rule, what was read of its metric by label, and the moment."""

    rule: AlertRule
    terms: Terms
    windows: Sequence[Mapping[str, Reading]]
    now: datetime

    def judge(self, label: str, alert: Alert | None) -> Verdict:
        found = [window.get(label) for window in self.windows]
        return Verdict(
            rule=self.rule,
            label=label,
            alert=alert,
            standing=self._follow(alert, found, self.terms),
            value=transitions.value(found[0]),
        )

    def capped(
        self, verdicts: list[Verdict], collective: Alert | None
    ) -> list[Verdict]:
        """Put what is new beyond so many parts into one alert."""
        known = [each for each in verdicts if each.alert is not None]
        new = [each for each in verdicts if each.alert is None and each.standing]
        room = max(0, MAX_LABELS - len(known))
        kept, others = new[:room], new[room:]
        if not others and collective is None:
            return known + kept
        has_data = any(each.value is not None for each in verdicts)
        count = Reading(float(len(others)) if has_data else None, 1)
        is_any = replace(
            self.terms,
            comparison=transitions.ABOVE,
            threshold=0,
            clear_threshold=None,
            min_samples=0,
        )
        together = Verdict(
            rule=self.rule,
            label=OTHERS,
            alert=collective,
            standing=self._follow(collective, [count], is_any),
            note=f"{len(others):,} more parts",
        )
        return [*known, *kept, together]

    def _follow(
        self, alert: Alert | None, readings: Sequence[Reading | None], terms: Terms
    ) -> Standing | None:
        held = standing(alert) if alert else None
        return transitions.follow(held, readings, terms, now=self.now)


def _by_label(readings: Sequence[Reading], rule: AlertRule) -> dict[str, Reading]:
    return {
        reading.label[:_LABEL_LENGTH]: reading
        for reading in readings
        if not rule.label or reading.label == rule.label
    }


def _ended(alert: Alert, now: datetime) -> Standing | None:
    if alert.state == transitions.PENDING:
        return None
    ended_at = max(now, alert.fired_at or now)
    return Standing(
        state=RESOLVED,
        began_at=alert.began_at,
        fired_at=alert.fired_at,
        resolved_at=ended_at,
    )
