"""How gunicorn runs the web processes."""

import os
import resource
from pathlib import Path
from typing import Any

from oracle_site import env, server

env.load(Path(__file__).resolve().parent.parent / ".env")

_host = env.text("HOST", "127.0.0.1")
_port = env.integer("PORT", default=8000, minimum=1, maximum=65_535)

bind = [f"{_host}:{_port}"]
workers = env.integer("WEB_WORKERS", default=2, minimum=1, maximum=1000)
worker_class = "oracle_site.server.Worker"
logger_class = "oracle_site.server.Logger"
graceful_timeout = env.integer("GRACEFUL_TIMEOUT_S", default=45, minimum=6)
timeout = max(60, graceful_timeout + 15)  # or a draining worker is taken for a hung one
keepalive = 75
# An open stream would hold up the replacement of a worker that has served its number.
max_requests = 0
# The default path is shared by all masters of a user.
control_socket_disable = True
asgi_lifespan = "on"
accesslog = None
proc_name = "oracle-web"

# Every open page is a connection, and with the usual soft limit of 1,024 descriptors a
# process that is out of them could not even open its files.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
_wanted = 16_384 if _hard == resource.RLIM_INFINITY else min(_hard, 16_384)
if _soft != resource.RLIM_INFINITY and _soft < _wanted:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_wanted, _hard))


def on_starting(_arbiter: Any) -> None:
    """Have the master hear the end again after each fork."""
    os.register_at_fork(after_in_parent=server.hear_ending)


def pre_fork(_arbiter: Any, _worker: Any) -> None:
    """Keep what asks a new worker to end until it can hear it."""
    server.hold_ending()
