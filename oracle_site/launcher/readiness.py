"""Asks the processes over HTTP whether they answer yet."""

import http.client
import json
from typing import Any

_TIMEOUT_S = 5.0


def site_answers(address: str, port: int, *, host: str) -> bool:
    """Tell whether the site answers; only a server error counts as not yet.

    A redirect to https is an answer too. `host` is the name it is asked for.
    """
    status, _ = _get(address, port, "/health", host=host)
    return status is not None and status < http.HTTPStatus.INTERNAL_SERVER_ERROR


def model_brain(port: int) -> str | None:
    """Return which brain the local Gemini runs, or None while it loads."""
    status, body = _get("127.0.0.1", port, "/_local/health", host="localhost")
    if status != http.HTTPStatus.OK:
        return None
    health: dict[str, Any] = json.loads(body)
    return str(health["brain"]) if health["ready"] else None


def _get(address: str, port: int, path: str, *, host: str) -> tuple[int | None, bytes]:
    connection = http.client.HTTPConnection(address, port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None, b""
    finally:
        connection.close()
