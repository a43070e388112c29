"""The requests of this process: rate, errors and duration of each route."""

from http import HTTPMethod

from monitoring import pending, series
from monitoring.series import Counter, Histogram

ABORTED = "aborted"
STATUSES = ("1xx", "2xx", "3xx", "4xx", "5xx", ABORTED)
_METHODS = {str(method) for method in HTTPMethod}
# Those that OpenTelemetry advises for http.server.request.duration.
_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

REQUESTS = series.declare(
    Counter(
        name="oracle_http_requests_total",
        help="Requests by the route's pattern, without static files. status: 2xx to "
        "5xx; aborted: the client went away first.",
        labels=("route", "method", "status"),
    )
)
DURATION = series.declare(
    Histogram(
        name="oracle_http_request_duration_seconds",
        help="Until the answer began; a streamed one goes on.",
        bounds=tuple(float(bound) for bound in _BOUNDS_S),
        labels=("route", "method"),
    )
)


def note(*, route: str | None, method: str | None, status: str, took_s: float) -> None:
    """Count one request; a route of None is one that no pattern matched."""
    if not pending.is_on():
        pending.stir()
        return
    place = series.OTHER if route is None else f"/{route}"
    verb = series.known(method or "", _METHODS)
    pending.add(
        REQUESTS.delta(place, verb, status) | DURATION.delta(took_s, place, verb)
    )


def status_class(code: int) -> str:
    """Return 2xx for 204 and so on."""
    return f"{code // 100}xx"
