"""What can go wrong while people work with alerts and incidents."""

from typing import ClassVar


class MonitoringError(Exception):
    """Trouble that a door turns into words; the message says what to do.

    Nothing was changed when one is raised.
    """

    code: ClassVar = "monitoring"


class UnknownIncident(MonitoringError):
    """There is no incident of this number."""

    code = "unknown_incident"


class WrongStep(MonitoringError):
    """It is in a state from which this cannot be done; the message says what can."""

    code = "wrong_step"


class Conflict(MonitoringError):
    """Somebody else was first; the message says how it is now."""

    code = "conflict"


class InvalidWords(MonitoringError):
    """Words are missing, too many, or hold what must be filled in first."""

    code = "invalid_words"


class NobodyTold(MonitoringError):
    """No channel takes messages of this severity."""

    code = "nobody_told"


class UnknownAlert(MonitoringError):
    """There is no alert, or no silence, of this number."""

    code = "unknown_alert"


class InvalidTime(MonitoringError):
    """An end is missing, past or too far ahead; the message says what may be given."""

    code = "invalid_time"
