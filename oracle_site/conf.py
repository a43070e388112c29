"""Runtime settings that belong to no single app."""

from flags import runtime

HEALTH_CHECK_INTERVAL = runtime.integer(
    "HEALTH_CHECK_INTERVAL",
    default=30,
    minimum=5,
    maximum=3600,
    unit="seconds",
    group="Monitoring",
    help="How often the worker looks for answers whose process is gone.",
)
