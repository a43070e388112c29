"""What every call keeps to: one shape of errors, strict input, stable addresses."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.clients import Api

_JSON = {"Content-Type": "application/json"}
_SHAPE = {
    "detail": str,
    "error_code": str,
    "timestamp": str,
    "path": str,
    "request_id": str,
}
_CODES = {
    400: {"INVALID_REQUEST", "INVALID_MESSAGE_CONTENT"},
    401: {"NOT_AUTHENTICATED"},
    404: {"SESSION_NOT_FOUND"},
    405: {"INVALID_REQUEST"},
    413: {"PAYLOAD_TOO_LARGE"},
    422: {"RESPONSE_BLOCKED"},
    502: {"GEMINI_API_ERROR"},
}


def _require_error(response: httpx2.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    assert {name: type(body.get(name)) for name in _SHAPE} == _SHAPE
    assert body["error_code"] in _CODES[status]
    assert body["timestamp"].endswith("Z")
    assert body["path"] == response.request.url.path
    assert body["request_id"] == response.headers["x-request-id"] != ""
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "INVALID_REQUEST"),
        (b"null", "INVALID_REQUEST"),
        (b"[]", "INVALID_REQUEST"),
        (b'"text"', "INVALID_REQUEST"),
        (b"{}", "INVALID_MESSAGE_CONTENT"),
        (b'{"message": null}', "INVALID_MESSAGE_CONTENT"),
        (b'{"message": 1}', "INVALID_MESSAGE_CONTENT"),
        (b'{"message": ["a"]}', "INVALID_MESSAGE_CONTENT"),
        (b'{"message": true}', "INVALID_MESSAGE_CONTENT"),
        (b'{"message": ""}', "INVALID_MESSAGE_CONTENT"),
        (b'{"message": " \\n\\t\\u00a0"}', "INVALID_MESSAGE_CONTENT"),
        (b'{"message": "a\\u0000b"}', "INVALID_MESSAGE_CONTENT"),
        (b'{"message": "\\ud800"}', "INVALID_MESSAGE_CONTENT"),
        (b'{"message": "a", "history": []}', "INVALID_REQUEST"),
        (b'{"message": "a", "\\ud800": 1}', "INVALID_REQUEST"),
        (b'{"message": "caf\xe9"}', "INVALID_REQUEST"),
        (b'{"message": NaN}', "INVALID_REQUEST"),
        (b'{"message": "a"', "INVALID_REQUEST"),
        (b'{"message": ' + b"9" * 5000 + b"}", "INVALID_REQUEST"),
        (b"[" * 100_000, "INVALID_REQUEST"),
        (b'{"a":' * 50_000, "INVALID_REQUEST"),
        (b"\x00\x01\x02", "INVALID_REQUEST"),
    ],
)
def test_a_body_that_is_no_message_is_refused(api: Api, body: bytes, code: str) -> None:
    session_id = api.begin()

    refused = api.call("POST", f"{session_id}/chat", content=body, headers=_JSON)

    assert _require_error(refused, 400)["error_code"] == code
    assert api.messages(session_id) == []


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"title": 1}',
        b'{"title": "\\ud800"}',
        b'{"title": "a\\u0000b"}',
        b'{"title": "' + b"a" * 201 + b'"}',
        b'{"model_used": ["gemini-3.8-flash"]}',
        b'{"session_metadata": []}',
        b'{"session_metadata": "text"}',
        b'{"session_metadata": {"ratio": NaN}}',
        b'{"session_metadata": {"ratio": Infinity}}',
        b'{"session_metadata": {"ratio": 1e999}}',
        b'{"session_metadata": {"ratio": [-1e999]}}',
        b'{"session_metadata": {"text": "a\\u0000b"}}',
        b'{"session_metadata": {"\\ud800": 1}}',
        b'{"owner": 1}',
    ],
)
def test_a_session_is_not_given_what_it_can_not_keep(
    api: Api, method: str, body: bytes
) -> None:
    path = "" if method == "POST" else str(api.begin())

    refused = api.call(method, path, content=body, headers=_JSON)

    _require_error(refused, 400)


@pytest.mark.parametrize("depth", [1, 15, 30, 500, 900, 950, 1000, 3000])
def test_deeply_nested_metadata_is_refused_instead_of_breaking_the_list(
    api: Api, depth: int
) -> None:
    nested = b"[" * depth + b"]" * depth
    body = b'{"session_metadata": {"deep": ' + nested + b"}}"

    answer = api.call("POST", "", content=body, headers=_JSON)

    assert (answer.status_code == 201) == (depth < 20)
    if answer.status_code == 201:
        read = api.call("GET", str(answer.json()["id"]))
        assert read.json()["session_metadata"] == {"deep": json.loads(nested)}
    else:
        _require_error(answer, 400)
    assert api.call("GET", "").status_code == 200


def test_a_wrong_body_is_named_for_what_it_is(api: Api) -> None:
    path = f"{api.begin()}/chat"

    not_text = api.call("POST", path, content=b'{"message": "\xff"}', headers=_JSON)
    not_json = api.call("POST", path, content=b"message=hello", headers=_JSON)

    assert "UTF-8" in not_text.json()["detail"]
    assert "JSON" in not_json.json()["detail"]


@pytest.mark.parametrize("size", [524_289, 1_000_000, 20_000_000])
def test_a_body_over_the_limit_is_refused(api: Api, size: int) -> None:
    body = b'{"message": "' + b"a" * (size - 15) + b'"}'

    refused = api.call("POST", f"{api.begin()}/chat", content=body, headers=_JSON)

    _require_error(refused, 413)


def test_a_body_that_breaks_off_says_nothing(api: Api) -> None:
    session_id = api.begin()
    whole = b'{"message": "Delete the old one"}'
    address = urlsplit(api.url)
    head = (
        f"POST /api/v1/sessions/{session_id}/chat HTTP/1.1\r\n"
        f"Host: {address.netloc}\r\nContent-Length: {len(whole) + 20}\r\n\r\n"
    )

    with socket.create_connection((address.hostname, address.port)) as broken:
        broken.sendall(head.encode() + whole)
        broken.shutdown(socket.SHUT_WR)
        broken.settimeout(5)
        answer = broken.recv(65_536)

    assert b" 200 " not in answer.partition(b"\r\n")[0]
    api.say(session_id, "Keep the old one")
    contents = [message["content"] for message in api.messages(session_id)]
    assert contents[0] == "Keep the old one"
    assert len(contents) == 2


@pytest.mark.parametrize(
    "number",
    ["0", "-1", "abc", "1e1", "9" * 30, str(2**63), "999999999", "%00", "%ff", "1%202"],
)
@pytest.mark.parametrize("path", ["{}", "{}/messages", "{}/events"])
def test_an_unknown_session_is_not_found(api: Api, path: str, number: str) -> None:
    answer = api.call("GET", path.format(number))

    assert answer.status_code == 404
    assert answer.json()["error_code"] == "SESSION_NOT_FOUND"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/no", "/api/v2/sessions/", "/api/x.js"]
)
def test_an_unknown_address_has_the_shape_of_an_error(
    api: Api, method: str, path: str
) -> None:
    _require_error(api.http.request(method, path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "", {"GET", "POST"}),
        ("OPTIONS", "", {"GET", "POST"}),
        ("TRACE", "", {"GET", "POST"}),
        ("POST", "{}", {"GET", "PUT", "PATCH", "DELETE"}),
        ("GET", "{}/chat", {"POST"}),
        ("DELETE", "{}/messages", {"GET"}),
        ("GET", "{}/stop", {"POST"}),
    ],
)
def test_a_wrong_method_is_refused_with_the_right_ones(
    api: Api, method: str, path: str, allowed: set[str]
) -> None:
    refused = api.call(method, path.format(api.begin()))

    _require_error(refused, 405)
    assert set(refused.headers["allow"].replace(" ", "").split(",")) >= allowed


def test_a_head_request_gets_no_body(api: Api) -> None:
    answer = api.call("HEAD", "")

    assert answer.status_code in {200, 405}
    assert answer.content == b""


def test_a_foreign_host_name_has_the_shape_of_an_error(api: Api) -> None:
    refused = api.call("GET", "", headers={"Host": "evil.example"})

    _require_error(refused, 400)


@pytest.mark.parametrize("path", ["", "{}", "{}/messages", "{}/events"])
def test_reading_works_with_and_without_the_last_slash(api: Api, path: str) -> None:
    address = f"/api/v1/sessions/{path.format(api.begin())}".rstrip("/")

    plain, slashed = api.http.get(address), api.http.get(f"{address}/")

    assert plain.status_code == slashed.status_code in {200, 204}


@pytest.mark.parametrize("slash", ["", "/"])
def test_writing_works_with_and_without_the_last_slash(api: Api, slash: str) -> None:
    made = api.http.post(f"/api/v1/sessions{slash}")
    session_id = made.json()["id"]

    told = api.http.post(
        f"/api/v1/sessions/{session_id}/chat{slash}", json={"message": "Hello"}
    )
    stopped = api.http.post(f"/api/v1/sessions/{session_id}/stop{slash}")
    deleted = api.http.delete(f"/api/v1/sessions/{session_id}{slash}")

    statuses = [answer.status_code for answer in (made, told, stopped, deleted)]
    assert statuses == [201, 200, 200, 200]


def test_a_request_id_is_taken_and_given_back(api: Api) -> None:
    answer = api.call("GET", "0", headers={"X-Request-ID": "trace-42"})

    assert answer.headers["x-request-id"] == "trace-42"
    assert answer.json()["request_id"] == "trace-42"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, '"><script>'])
def test_an_ill_formed_request_id_is_replaced(api: Api, given: str) -> None:
    answer = api.call("GET", "0", headers={"X-Request-ID": given})

    assert answer.headers["x-request-id"] not in {"", given}


def test_the_schema_names_every_address(api: Api) -> None:
    schema = api.http.get("/api/v1/openapi.json").json()

    one = "/api/v1/sessions/{session_id}"
    monitoring = "/api/v1/monitoring"
    assert {path: set(found) for path, found in schema["paths"].items()} == {
        f"{monitoring}/health/detailed": {"get"},
        f"{monitoring}/health/sessions": {"get"},
        f"{monitoring}/health/sessions/performance": {"get"},
        f"{monitoring}/sessions/analytics": {"get"},
        "/api/v1/sessions/": {"get", "post"},
        one: {"get", "put", "patch", "delete"},
        f"{one}/messages": {"get"},
        f"{one}/messages/{{message_id}}/rating": {"put"},
        f"{one}/chat": {"post"},
        f"{one}/retry": {"post"},
        f"{one}/continue": {"post"},
        f"{one}/events": {"get"},
        f"{one}/stop": {"post"},
    }
