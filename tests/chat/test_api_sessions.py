"""Sessions over the API: begun, read, changed, listed, deleted."""

from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest

from tests.clients import Api

_SESSION = {
    "id": int,
    "title": str,
    "model_used": str,
    "session_metadata": dict,
    "created_at": str,
    "updated_at": str,
    "message_count": int,
}
_MESSAGE = {
    "id": int,
    "session_id": int,
    "role": str,
    "content": str,
    "timestamp": str,
    "status": str,
}


def _require(shape: dict[str, type], found: dict[str, Any]) -> None:
    assert {name: type(found[name]) for name in shape} == shape


def _moment(text: str) -> datetime:
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


def test_a_new_session_has_every_field_of_the_contract(api: Api) -> None:
    response = api.call("POST", "")

    assert response.status_code == 201
    _require(_SESSION, response.json())
    assert response.json()["message_count"] == 0


def test_what_a_session_is_begun_with_is_kept(api: Api) -> None:
    given = {
        "title": "Tides – 潮",
        "model_used": "gemini-3.5-flash-lite",
        "session_metadata": {"team": ["a", {"b": None}], "ratio": 0.5, "big": 2**70},
    }

    made = api.call("POST", "", json=given).json()

    read = api.call("GET", str(made["id"])).json()
    assert read == made
    assert {name: read[name] for name in given} == given


@pytest.mark.parametrize("body", [None, b"", b"{}", b"null"])
def test_nothing_has_to_be_given_for_a_new_session(
    api: Api, body: bytes | None
) -> None:
    assert api.call("POST", "", content=body).status_code == 201


def test_times_are_utc_and_now(api: Api) -> None:
    session = api.call("POST", "").json()

    age = datetime.now(UTC) - _moment(session["created_at"])
    assert abs(age.total_seconds()) < 10


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_touches_only_what_is_given(api: Api, method: str) -> None:
    session_id = api.begin(title="Before", session_metadata={"kept": True})

    changed = api.call(method, str(session_id), json={"title": "After"})

    assert changed.status_code == 200
    _require(_SESSION, changed.json())
    assert changed.json()["title"] == "After"
    assert changed.json()["session_metadata"] == {"kept": True}
    assert api.call("GET", str(session_id)).json() == changed.json()


def test_metadata_is_replaced_as_a_whole(api: Api) -> None:
    session_id = api.begin(session_metadata={"old": 1})

    api.call("PATCH", str(session_id), json={"session_metadata": {"new": 2}})

    assert api.call("GET", str(session_id)).json()["session_metadata"] == {"new": 2}


def test_a_change_to_another_model_reaches_the_next_turn(api: Api) -> None:
    session_id = api.begin()

    api.call("PUT", str(session_id), json={"model_used": "gemini-3.1-pro-preview"})

    turn = api.say(session_id, "Which model is this?")
    assert turn["session"]["model_used"] == "gemini-3.1-pro-preview"


@pytest.mark.parametrize(
    ("field", "choice"),
    [("model_used", "gemini-3.8-flash"), ("personality", "technical")],
)
def test_what_is_not_offered_is_refused_with_what_is(
    api: Api, field: str, choice: str
) -> None:
    refused = api.call("POST", "", json={field: "something else"})

    assert refused.status_code == 400
    assert refused.json()["error_code"] == "INVALID_REQUEST"
    assert choice in refused.json()["detail"]


def test_a_deleted_session_takes_everything_with_it(api: Api) -> None:
    session_id = api.begin()
    api.say(session_id, "Hello")

    deleted = api.call("DELETE", str(session_id))

    assert deleted.status_code == 200
    assert deleted.json()["session_id"] == session_id
    assert isinstance(deleted.json()["message"], str)
    for method, path in [
        ("GET", f"{session_id}"),
        ("GET", f"{session_id}/messages"),
        ("GET", f"{session_id}/events"),
        ("POST", f"{session_id}/stop"),
        ("PUT", f"{session_id}"),
        ("DELETE", f"{session_id}"),
    ]:
        body = {"title": "x"} if method == "PUT" else None
        assert api.call(method, path, json=body).status_code == 404


def test_the_list_begins_with_the_newest_activity(visitor: Api) -> None:
    first = visitor.call("GET", "").json()["sessions"][0]["id"]
    second = visitor.begin()
    third = visitor.begin()

    visitor.say(first, "I am back")

    page = visitor.call("GET", "").json()
    assert [item["id"] for item in page["sessions"]] == [first, third, second]
    assert {name: page[name] for name in ("total", "skip", "limit")} == {
        "total": 3,
        "skip": 0,
        "limit": 50,
    }
    _require(_SESSION, page["sessions"][0])


def test_pages_of_the_list_neither_overlap_nor_leave_out(visitor: Api) -> None:
    for _ in range(4):
        visitor.begin()
    whole = visitor.call("GET", "").json()["sessions"]

    parts = [
        visitor.call("GET", "", params={"skip": skip, "limit": 2}).json()["sessions"]
        for skip in (0, 2, 4, 6)
    ]

    assert list(chain.from_iterable(parts)) == whole
    assert [len(part) for part in parts] == [2, 2, 1, 0]


def test_the_total_follows_deletions(visitor: Api) -> None:
    session_id = visitor.begin()
    visitor.call("DELETE", str(session_id))

    assert visitor.call("GET", "").json()["total"] == 1


def test_messages_come_oldest_first_with_every_field(api: Api) -> None:
    session_id = api.begin()
    api.say(session_id, "one")
    api.say(session_id, "two")

    page = api.call("GET", f"{session_id}/messages").json()

    roles = [message["role"] for message in page["messages"]]
    assert roles == ["user", "assistant", "user", "assistant"]
    ids = [message["id"] for message in page["messages"]]
    assert ids == sorted(ids)
    for message in page["messages"]:
        _require(_MESSAGE, message)
        assert message["status"] == "complete"
        assert message["session_id"] == session_id
    assert (page["total"], page["session_id"]) == (4, session_id)


def test_pages_of_messages_add_up(api: Api) -> None:
    session_id = api.begin()
    for text in ("one", "two", "three"):
        api.say(session_id, text)
    path = f"{session_id}/messages"

    parts = [
        api.call("GET", path, params={"skip": skip, "limit": 4}).json()["messages"]
        for skip in (0, 4, 8)
    ]

    assert list(chain.from_iterable(parts)) == api.messages(session_id)
    assert [len(part) for part in parts] == [4, 2, 0]


@pytest.mark.parametrize("where", ["", "{}/messages"])
@pytest.mark.parametrize(
    "page",
    [
        {"skip": "-1"},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "ten"},
        {"skip": "1e3"},
        {"skip": str(2**70)},
        {"limit": ""},
    ],
)
def test_a_page_out_of_range_is_refused(
    api: Api, where: str, page: dict[str, str]
) -> None:
    path = where.format(api.begin())

    refused = api.call("GET", path, params=page)

    assert refused.status_code == 400
    assert refused.json()["error_code"] == "INVALID_REQUEST"
    assert next(iter(page)) in refused.json()["detail"]


@pytest.mark.parametrize("page", [{"limit": "1"}, {"limit": "100"}, {"skip": "1000"}])
def test_the_bounds_of_a_page_are_allowed(api: Api, page: dict[str, str]) -> None:
    answer = api.call("GET", "", params=page)

    assert answer.status_code == 200
    assert {name: str(answer.json()[name]) for name in page} == page
