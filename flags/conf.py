"""The two settings that are the flag itself."""

from decimal import Decimal

from flags import runtime

FLAG = "persistent_sessions"
_GROUP = "Rollout"

USE = runtime.flag(
    "USE_PERSISTENT_SESSIONS",
    default=False,
    group=_GROUP,
    help="Whether persistent Gemini sessions may be used at all. Off is the kill "
    "switch: every conversation is back to stateless at its next turn.",
)
PERCENT = runtime.number(
    "GRADUAL_ROLLOUT_PERCENTAGE",
    default=Decimal(0),
    minimum=0,
    maximum=100,
    unit="%",
    group=_GROUP,
    help="How many of 100 conversations get persistent sessions. Growth takes in new "
    "conversations only, 100 takes in all; a smaller number sends back at once those "
    "above it.",
)
