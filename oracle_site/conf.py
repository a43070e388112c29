"""The runtime settings that the site itself reads."""

from chat import conf as chat_conf
from flags import runtime
from monitoring import logs

LOG_LEVEL = runtime.choice(
    "LOG_LEVEL",
    default="INFO",
    of=logs.LEVELS,
    group=chat_conf.TRACKING.group,
    help="Which lines are in the log: those of this level and above. Web processes and "
    "workers follow within a few seconds. No level shows keys or messages.",
)

PUBLIC_STATUS_PAGE = runtime.flag(
    "PUBLIC_STATUS_PAGE",
    default=False,
    group=chat_conf.TRACKING.group,
    help="Whether anybody may see at /status how the service is, and incidents that "
    "were published; those are then told on top of the chat's pages, too.",
)
