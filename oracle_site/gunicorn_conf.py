"""How gunicorn runs the web processes."""

import os

_graceful_s = int(os.environ.get("GRACEFUL_TIMEOUT_S", "45"))

bind = [f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"]
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "oracle_site.server.Worker"
timeout = 60
graceful_timeout = _graceful_s
keepalive = 75
# An open stream would hold up the replacement of a worker that has served its number.
max_requests = 0
# The default path is shared by all masters of a user.
control_socket_disable = True
asgi_lifespan = "on"
accesslog = None
proc_name = "oracle-web"
