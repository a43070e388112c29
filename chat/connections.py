"""The HTTP connections to the model, and which response is open on them."""

import inspect
import logging
from contextvars import ContextVar
from functools import partial

import httpx2

logger = logging.getLogger(__name__)

KEEPALIVE_EXPIRY_S = 120  # a person thinks longer than the library's 5 s
_EVENTS = "text/event-stream"
_JSON = "application/json"

_opened: ContextVar[httpx2.Response | None] = ContextVar("opened", default=None)


def pool(*, max_connections: int, connect_timeout_s: float) -> httpx2.AsyncClient:
    """Return a pool for one event loop.

    It follows no redirect, which would carry the key along, and notes the response
    of each request for `opened`. A good status with anything but an event stream, or
    JSON for what is no answer (a portal's page), raises ValueError.
    """
    client = httpx2.AsyncClient(
        limits=httpx2.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=KEEPALIVE_EXPIRY_S,
        ),
        event_hooks={
            "request": [partial(_limit_connecting, connect_timeout_s)],
            "response": [_note],
        },
    )
    use_own_sockets(client)
    return client


def use_own_sockets(client: httpx2.AsyncClient) -> bool:
    """Let a client's own pool use our `sockets`; False: it stays as it is.

    Proxies that the environment names have pools of their own, which stay too. httpx2
    has no public way to do this, so it is done only where all is as we know it.
    """
    import httpcore2  # 30 ms that a process without a model does not spend

    from chat import dialling, sockets

    pool = getattr(getattr(client, "_transport", None), "_pool", None)
    known = getattr(pool, "_network_backend", None)
    interfaces = [
        (known, dialling.Backend, "connect_tcp"),
        (httpcore2.AsyncNetworkStream, sockets.Stream, "read"),
        (httpcore2.AsyncNetworkStream, sockets.Stream, "write"),
        (httpcore2.AsyncNetworkStream, sockets.Stream, "start_tls"),
    ]
    if any(_parameters(a, name) != _parameters(b, name) for a, b, name in interfaces):
        logger.warning("this httpx2 connects in another way: using its own sockets")
        return False
    pool._network_backend = dialling.Backend()  # type: ignore[union-attr]
    return True


def has_raw_transport(client: object) -> bool:
    """Tell whether this SDK has the inner methods that stream without its objects."""
    api = getattr(client, "_api_client", None)
    try:
        inspect.signature(api._build_request).bind("post", "path", {})  # type: ignore[union-attr]
        inspect.signature(api._async_request_once).bind(object(), stream=True)  # type: ignore[union-attr]
    except (AttributeError, TypeError):
        logger.warning("this google-genai has another transport: using its slow way")
        return False
    return True


def opened() -> httpx2.Response | None:
    """Return the response that this task's last request opened, to be closed by us.

    Closing the response makes the server stop. Closing the SDK's iterators does not:
    the connection stays open until they are garbage-collected.
    """
    return _opened.get()


def forget() -> None:
    """Forget the last response, before a new request."""
    _opened.set(None)


async def _limit_connecting(timeout_s: float, request: httpx2.Request) -> None:
    request.extensions["timeout"]["connect"] = timeout_s


async def _note(response: httpx2.Response) -> None:
    kind = response.headers.get("content-type", "")
    expected = _expected(response.request)
    if response.status_code == 200 and not kind.startswith(expected):
        raise ValueError(f"The answer is {kind[:40]!r} instead of {expected}.")
    _opened.set(response)


def _expected(request: httpx2.Request) -> str:
    """A deletion and a model's description come as JSON, every answer as events."""
    is_description = request.method == "GET" and "/models/" in request.url.path
    return _JSON if is_description or request.method == "DELETE" else _EVENTS


def _parameters(owner: object, method: str) -> set[str]:
    found = getattr(owner, method, None)
    return set(inspect.signature(found).parameters) - {"self"} if found else set()
