"""The API as its clients see it: plain calls, server-sent events, chosen workers."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import psutil

T = TypeVar("T")
STREAM = {"Accept": "text/event-stream"}
FROM_ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}
_TIMEOUT_S = 30.0
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event; a comment is named `comment` and has no data."""

    name: str
    data: Any
    id: int | None = None


class Api:
    """One connection to the API of a running site.

    `pid` is the process at its other end, known only to `on_worker`.
    """

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.pid: int | None = None
        self.http = httpx2.Client(
            base_url=url,
            headers={name.replace("_", "-"): text for name, text in headers.items()},
            timeout=_TIMEOUT_S,
            limits=httpx2.Limits(max_connections=1),
        )

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Send one request to a path below `/api/v1/sessions/`."""
        return self.http.request(method, f"/api/v1/sessions/{path}", **options)

    def begin(self, **fields: Any) -> int:
        """Begin a session; return its id."""
        response = self.call("POST", "", json=fields)
        assert response.status_code == 201, response.text
        number: int = response.json()["id"]
        return number

    def ask(self, session_id: int, text: str, **headers: str) -> httpx2.Response:
        """Send a message and wait for the answer."""
        return self.call(
            "POST", f"{session_id}/chat", json={"message": text}, headers=headers
        )

    def say(self, session_id: int, text: str, **headers: str) -> Any:
        """Send a message; return the turn of its good answer."""
        response = self.ask(session_id, text, **headers)
        assert response.status_code == 200, response.text
        return response.json()

    def messages(self, session_id: int) -> list[dict[str, Any]]:
        """Return the first hundred messages."""
        response = self.call("GET", f"{session_id}/messages", params={"limit": 100})
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["messages"]
        return found

    @contextlib.contextmanager
    def stream(self, session_id: int, text: str) -> Iterator[Iterator[Event]]:
        """Send a message; yield the events of its answer as they come."""
        path = f"/api/v1/sessions/{session_id}/chat"
        with self.http.stream(
            "POST", path, json={"message": text}, headers=STREAM
        ) as response:
            assert response.status_code == 200, response.read()
            yield events(response)

    @contextlib.contextmanager
    def follow(self, session_id: int, *, after: int = 0) -> Iterator[Iterator[Event]]:
        """Resume the running answer behind the first `after` characters."""
        path = f"/api/v1/sessions/{session_id}/events"
        headers = {"Last-Event-ID": str(after)} if after else {}
        with self.http.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200, response.read()
            yield events(response)


def on_worker(url: str, pid: int, **headers: str) -> Api:
    """Return a connection that this web process serves."""
    for _ in range(_TRIES):
        api = Api(url, **headers)
        stream = api.call("GET", "0").extensions["network_stream"]
        port = stream.get_extra_info("client_addr")[1]
        served = psutil.Process(pid).net_connections("tcp")
        if any(getattr(each.raddr, "port", None) == port for each in served):
            api.pid = pid
            return api
        api.http.close()
    raise AssertionError(f"No connection reached the process {pid}.")


def visitor(url: str) -> Api:
    """Return a connection of a visitor nobody has met before."""
    response = httpx2.post(f"{url}/api/v1/sessions/", headers=FROM_ELSEWHERE)
    return Api(url, Authorization=f"Bearer {response.json()['visitor_token']}")


def events(response: httpx2.Response) -> Iterator[Event]:
    """Read server-sent events; frames end with an empty line, lines with \\n."""
    rest = b""
    for piece in response.iter_bytes():
        *frames, rest = (rest + piece).split(b"\n\n")
        yield from map(_event, frames)
    assert not rest


def _event(frame: bytes) -> Event:
    fields: dict[str, str] = {}
    for line in frame.decode().split("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    if "" in fields:
        return Event("comment", None)
    offset = int(fields["id"]) if "id" in fields else None
    return Event(fields["event"], json.loads(fields["data"]), offset)


def text_of(seen: list[Event]) -> str:
    """Join the text of all deltas."""
    return "".join(event.data["text"] for event in seen if event.name == "delta")


def until(check: Callable[[], T | None], *, within_s: float = 10.0) -> T:
    """Return the first result of `check` that is true; fail after a while."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.02)
    return found


def requests(gemini_url: str, marker: str) -> list[dict[str, Any]]:
    """Return what the local Gemini noted of the requests that hold this text."""
    noted = httpx2.get(f"{gemini_url}/_local/requests").json()
    return [entry for entry in noted if marker in json.dumps(entry["body"])]


@contextlib.contextmanager
def by_default(gemini_url: str, directive: str) -> Iterator[None]:
    """Let the local Gemini obey this wherever a message says nothing else."""
    defaults = f"{gemini_url}/_local/defaults"
    httpx2.put(defaults, json={"directive": directive}).raise_for_status()
    try:
        yield
    finally:
        httpx2.delete(defaults).raise_for_status()
