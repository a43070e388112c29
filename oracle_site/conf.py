"""The runtime setting that the site itself reads."""

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
