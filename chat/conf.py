"""The runtime settings that chat reads."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flags import runtime

FLAG = "persistent_sessions"
_SESSIONS = "Persistent sessions"
_RECOVERY = "Recovery"
_CLEANUP = "Cleanup"
_MONITORING = "Monitoring"

STRATEGY = runtime.choice(
    "PERSISTENT_SESSION_STRATEGY",
    default="history",
    of=("history", "interactions"),
    group=_SESSIONS,
    help="What a persistent session is. history: we keep the conversation in memory "
    "and send it as it is, with a beginning that never changes, so that the model's "
    "own cache may know it. interactions: the provider keeps it (up to 55 days) and "
    "we send what is new.",
)
TIMEOUT = runtime.integer(
    "PERSISTENT_SESSION_TIMEOUT",
    default=3600,
    minimum=60,
    maximum=604_800,
    unit="seconds",
    group=_SESSIONS,
    help="A session that nobody used for so long is closed.",
)
MAX_SESSIONS = runtime.integer(
    "MAX_PERSISTENT_SESSIONS",
    default=500,
    minimum=1,
    maximum=100_000,
    unit="sessions",
    group=_SESSIONS,
    help="How many may be live at a time, over all processes. The least recently used "
    "make room.",
)
LOG_OPERATIONS = runtime.flag(
    "LOG_SESSION_OPERATIONS",
    default=True,
    group=_SESSIONS,
    help="Whether each hit, creation, recovery, eviction and expiry is a line in the "
    "log.",
)
RECOVERY = runtime.flag(
    "ENABLE_SESSION_RECOVERY",
    default=True,
    group=_RECOVERY,
    help="Whether a conversation without a live session gets one from its stored "
    "messages. Off: its turns are stateless.",
)
MAX_HISTORY = runtime.integer(
    "MAX_RECOVERY_HISTORY_MESSAGES",
    default=50,
    minimum=2,
    maximum=1000,
    unit="messages",
    group=_RECOVERY,
    help="How many of the newest messages a recovery takes along, in one call.",
)
RECOVERY_TIMEOUT = runtime.integer(
    "RECOVERY_TIMEOUT_SECONDS",
    default=30,
    minimum=1,
    maximum=300,
    unit="seconds",
    group=_RECOVERY,
    help="A recovery that takes longer is given up: that turn is stateless.",
)
CLEANUP_INTERVAL = runtime.integer(
    "CLEANUP_INTERVAL",
    default=300,
    minimum=10,
    maximum=86_400,
    unit="seconds",
    group=_CLEANUP,
    help="How often expired sessions are looked for.",
)
BATCH = runtime.integer(
    "CLEANUP_BATCH_SIZE",
    default=50,
    minimum=1,
    maximum=10_000,
    unit="sessions",
    group=_CLEANUP,
    help="How many sessions one step of a cleanup closes.",
)
EMERGENCY_THRESHOLD = runtime.number(
    "EMERGENCY_CLEANUP_THRESHOLD",
    default=Decimal("0.95"),
    minimum=0,
    maximum=1,
    unit="of the maximum",
    group=_CLEANUP,
    help="At this share of the maximum a batch of the least recently used sessions is "
    "closed at once.",
)
FORCE_CLEANUP = runtime.flag(
    "FORCE_CLEANUP_ON_STARTUP",
    default=False,
    group=_CLEANUP,
    help="Whether a server that starts closes every session that is registered.",
)
HEALTH_CHECK_INTERVAL = runtime.integer(
    "HEALTH_CHECK_INTERVAL",
    default=30,
    minimum=5,
    maximum=3600,
    unit="seconds",
    group=_MONITORING,
    help="How often the worker looks for answers whose process is gone, and holds the "
    "alert rules against what is measured.",
)
TRACKING = runtime.flag(
    "ENABLE_PERFORMANCE_TRACKING",
    default=True,
    group=_MONITORING,
    help="Whether turns, requests and session operations are counted.",
)
ALERT_ON_RECOVERIES = runtime.flag(
    "ALERT_ON_HIGH_RECOVERY_RATE",
    default=True,
    group=_MONITORING,
    help="Whether to warn when over 10 % of the persistent turns of an hour had to "
    "recover their session.",
)
ALERT_ON_MISSES = runtime.flag(
    "ALERT_ON_LOW_CACHE_HIT_RATIO",
    default=True,
    group=_MONITORING,
    help="Whether to warn when under 50 % of the persistent turns of an hour found "
    "their session live.",
)


@runtime.rule
def _batch_within_maximum(given: Mapping[str, Any]) -> str | None:
    batch, maximum = given[BATCH.name], given[MAX_SESSIONS.name]
    if batch <= maximum:
        return None
    return (
        f"{BATCH.name} ({batch}) must not be larger than {MAX_SESSIONS.name} "
        f"({maximum}): one step would close every session."
    )


@runtime.rule
def _cleanup_within_timeout(given: Mapping[str, Any]) -> str | None:
    interval, timeout = given[CLEANUP_INTERVAL.name], given[TIMEOUT.name]
    if interval <= timeout:
        return None
    return (
        f"{CLEANUP_INTERVAL.name} ({interval} seconds) must not be longer than "
        f"{TIMEOUT.name} ({timeout} seconds): sessions would outlive their timeout."
    )
