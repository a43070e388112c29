"""What the store of interactions keeps, forgets and counts as cached."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests import servers

from .conftest import MODEL
from .plain import call, connect, ended_request


@pytest.fixture(scope="module")
def own_server() -> Iterator[str]:
    """A server that no other test switches or empties."""
    with servers.local_gemini() as url:
        yield url


def created(url: str, text: str, **options: object) -> dict[str, object]:
    """Create an interaction; return it, or the error."""
    payload = {"model": MODEL, "input": text, **options}
    body: dict[str, object] = call("POST", f"{url}/v1/interactions", payload)[1]
    return body


def test_a_changed_instruction_is_a_context_nobody_has_cached(own_server: str) -> None:
    first = created(own_server, f"{uuid4()} two", system_instruction="Be kind.")

    second = created(
        own_server,
        "three",
        system_instruction="Speak differently.",
        previous_interaction_id=first["id"],
    )

    usage = second["usage"]
    assert isinstance(usage, dict)
    assert usage["total_input_tokens"] == 2 + 2 + 20 + 1
    assert usage["total_cached_tokens"] == 0


def test_the_answer_says_who_really_gave_it(own_server: str) -> None:
    assert created(own_server, "Hello")["model"] == "scripted (local)"


def test_all_interactions_can_be_forgotten(own_server: str) -> None:
    first = created(own_server, "Remember me")

    call("DELETE", f"{own_server}/_local/interactions")

    status, body, _ = call("GET", f"{own_server}/v1/interactions/{first['id']}")
    assert status == 404
    assert body["error"]["code"] == "not_found"


def test_the_api_can_be_switched_off_and_on(own_server: str) -> None:
    switch = f"{own_server}/_local/interactions"

    call("PUT", switch, {"is_on": False})
    unknown = created(own_server, "Hello")
    call("PUT", switch, {"is_on": True})
    known = created(own_server, "Hello")

    assert unknown == {
        "error": {
            "code": 404,
            "message": "The requested URL /interactions was not found.",
            "status": "NOT_FOUND",
        }
    }
    assert known["status"] == "completed"


def test_a_server_may_begin_without_the_api() -> None:
    with servers.local_gemini("--no-interactions") as url:
        status, _, _ = call("POST", f"{url}/v1/interactions", {"model": MODEL})

    assert status == 404


def test_whoever_leaves_a_resumed_stream_stops_the_answer(own_server: str) -> None:
    text = "[[cut after=2 words=100000 delay_ms=20]]"
    payload = {"model": MODEL, "input": text, "stream": True}
    with connect(own_server, "/v1/interactions", payload) as cut:
        received = b"".join(iter(lambda: cut.recv(65536), b""))
    interaction_id = received.split(b'"id":"')[1].split(b'"')[0].decode()
    path = f"/v1/interactions/{interaction_id}"

    with connect(own_server, f"{path}?stream=true", None, method="GET") as resumed:
        resumed.recv(65536)

    assert ended_request(own_server)["disconnected"] is True
    assert call("GET", f"{own_server}{path}")[1]["status"] == "cancelled"
