"""What there is to tell, read when it is asked for, all as of one moment."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

from monitoring import facts, metrics
from monitoring.alerting import rules
from monitoring.facts import Arm, Newcomers, Pool, SessionTurns, Timing, Turns

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_COUNTED = ("sessions_created", "sessions_expired", "sessions_recovered")


class Figures:
    """The figures of one answer: each is read once at most.

    Every attribute may raise `django.db.Error`.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._facts = facts.source()

    @cached_property
    def totals(self) -> Mapping[str, int]:
        """The stored conversations and messages, counted from the first one on."""
        found = metrics.totals("sessions", "messages")
        return {name: value or 0 for name, value in found.items()}

    @cached_property
    def session_totals(self) -> Mapping[str, int | None]:
        """How often sessions were created and so on; None where nobody counts."""
        nothing = 0 if self.pool.is_counted else None
        found = metrics.totals(*_COUNTED)
        return {
            name: nothing if value is None else value for name, value in found.items()
        }

    @cached_property
    def hour(self) -> Turns:
        """The turns of the last hour."""
        return self._facts.turns(since=self.now - HOUR)

    @cached_property
    def day(self) -> Turns:
        """The turns of the last day."""
        return self._facts.turns(since=self.now - DAY)

    @cached_property
    def session_turns_of_hour(self) -> SessionTurns:
        """How the last hour's persistent turns found their session."""
        return self._facts.session_turns(since=self.now - HOUR)

    @cached_property
    def session_turns_of_day(self) -> SessionTurns:
        """How the last day's did."""
        return self._facts.session_turns(since=self.now - DAY)

    @cached_property
    def created(self) -> Timing:
        """How long the last day's new sessions took to get."""
        return self._facts.session_timing("created", since=self.now - DAY)

    @cached_property
    def recovered(self) -> Timing:
        """How long those took that had to be brought back."""
        return self._facts.session_timing("recovered", since=self.now - DAY)

    @cached_property
    def begun(self) -> Timing:
        """How long it took to begin each of the last day's conversations."""
        return metrics.timing("create_session", since=self.now - DAY)

    @cached_property
    def arms(self) -> tuple[Arm, Arm]:
        """The last day's treatment and control."""
        return self._facts.arms(since=self.now - DAY)

    @cached_property
    def newcomers(self) -> Newcomers:
        """What was begun in the last day."""
        return self._facts.newcomers(since=self.now - DAY)

    @cached_property
    def pool(self) -> Pool:
        """The live sessions."""
        return self._facts.pool()

    @cached_property
    def thresholds(self) -> Mapping[str, float]:
        """Where each alert rule worries, by its name."""
        return rules.thresholds()

    @cached_property
    def is_persistent_enabled(self) -> bool:
        """Whether anybody may get a persistent session."""
        return self._facts.is_persistent_enabled()

    @property
    def reduction_percent(self) -> float | None:
        """How much fewer billed input tokens the treatment takes for a turn.

        Cached tokens count a tenth. None until both variants have turns that reported
        their tokens.
        """
        treatment, control = self.arms
        return _less(treatment.input_tokens_per_turn, control.input_tokens_per_turn)

    @property
    def improvement_percent(self) -> float | None:
        """How much sooner the treatment's answers are complete, likewise."""
        treatment, control = self.arms
        return _less(treatment.response_ms, control.response_ms)


def _less(treatment: float | None, control: float | None) -> float | None:
    if treatment is None or not control:
        return None
    return round(100 * (1 - treatment / control), 2)
