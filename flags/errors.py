"""What can go wrong with flags and runtime settings."""

from typing import ClassVar


class FlagsError(Exception):
    """Trouble that a door turns into words; the message says what to do.

    Nothing was changed when one is raised.
    """

    code: ClassVar = "flags"


class UnknownSetting(FlagsError):
    """There is no setting of this name; the message names those that are near."""

    code = "unknown_setting"


class InvalidValue(FlagsError):
    """A value is of the wrong kind or out of range, or two don't go together."""

    code = "invalid_value"


class Conflict(FlagsError):
    """Somebody else changed it in the meantime; the message says who and to what."""

    code = "conflict"


class NothingToChange(FlagsError):
    """Every value is what it already was."""

    code = "nothing_to_change"


class ReasonMissing(FlagsError):
    """A change needs a reason that the next operator can read."""

    code = "reason_missing"


class SwitchedOff(FlagsError):
    """The feature was switched off by somebody; a percent alone does not undo that."""

    code = "switched_off"


class RolloutRefused(FlagsError):
    """A rollout can't do that where it is; the message says what it can do."""

    code = "rollout_refused"


class UnknownRollout(FlagsError):
    """There is no such rollout, plan or decision; the message names those there are."""

    code = "unknown_rollout"


class DrillMissing(FlagsError):
    """No drill was passed lately; the message says how to run one, or go on without."""

    code = "drill_missing"


class TooLittlePast(FlagsError):
    """Too little has happened to simulate by it; the message says how much has."""

    code = "too_little_past"


class DrillBroken(FlagsError):
    """A drill could not be run to its end; the message says what stood in the way."""

    code = "drill_broken"
