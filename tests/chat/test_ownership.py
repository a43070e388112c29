"""What belongs to somebody else is not there, by every way to ask for it."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from tests import people, servers

_VOLATILE = {"path", "timestamp", "request_id"}
_NOBODYS = 10**9
_ROUTES = [
    ("GET", "{}"),
    ("PUT", "{}"),
    ("PATCH", "{}"),
    ("DELETE", "{}"),
    ("GET", "{}/messages"),
    ("POST", "{}/chat"),
    ("POST", "{}/retry"),
    ("POST", "{}/continue"),
    ("GET", "{}/events"),
    ("POST", "{}/stop"),
]
_PAGES = [
    ("GET", "{}/"),
    ("GET", "{}/events"),
    ("POST", "{}/send"),
    ("POST", "{}/stop"),
    ("POST", "{}/retry"),
    ("POST", "{}/continue"),
    ("POST", "{}/settings"),
    ("GET", "{}/delete"),
    ("POST", "{}/delete"),
]
_KINDS = ("cookie", "visitor_token", "user", "user_token", "other_user", "local")
_PAIRS = [
    pair
    for pair in itertools.permutations((*_KINDS, "none"), 2)
    if pair[1] != "none" and set(pair) != {"user", "user_token"}
]


@dataclass
class _Everyone:
    """One person of each kind, each with a session of their own."""

    clients: dict[str, httpx2.Client] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def everyone(site: servers.Site) -> Iterator[_Everyone]:
    found = _Everyone()
    alice, bob = people.name("alice"), people.name("bob")
    tokens = people.add_users(site, alice, bob)
    found.clients = {
        "none": people.stranger(site.url),
        "cookie": people.visitor_by_cookie(site.url),
        "visitor_token": people.visitor_by_token(site.url),
        "user": people.signed_in(site.url, alice),
        "user_token": people.by_token(site.url, tokens[alice]["chat"]),
        "other_user": people.signed_in(site.url, bob),
        "local": httpx2.Client(base_url=site.url),
    }
    for kind, client in found.clients.items():
        if kind != "none":
            begun = client.post("/api/v1/sessions/", json={"title": kind})
            assert begun.status_code == 201, begun.text
            found.sessions[kind] = begun.json()["id"]
    yield found
    for client in found.clients.values():
        client.close()


def _body(method: str, path: str) -> dict[str, Any]:
    if path.endswith("/chat"):
        return {"json": {"message": "Hello"}}
    return {"json": {"title": "Mine now"}} if method in {"PUT", "PATCH"} else {}


@pytest.mark.parametrize(("asker", "owner"), _PAIRS)
def test_a_foreign_session_is_as_unknown_as_none(
    everyone: _Everyone, asker: str, owner: str
) -> None:
    client = everyone.clients[asker]

    for method, route in _ROUTES:
        given = _body(method, route)
        foreign, unknown = (
            client.request(method, f"/api/v1/sessions/{route.format(number)}", **given)
            for number in (everyone.sessions[owner], _NOBODYS)
        )

        assert foreign.status_code == unknown.status_code == 404, (method, route)
        assert foreign.json()["error_code"] == "SESSION_NOT_FOUND"
        assert _lasting(foreign) == _lasting(unknown)
    assert _title(everyone, owner) == owner


@pytest.mark.parametrize(
    ("asker", "owner"), [pair for pair in _PAIRS if "token" not in pair[0]]
)
def test_a_foreign_page_is_as_unknown_as_none(
    everyone: _Everyone, asker: str, owner: str
) -> None:
    client = everyone.clients[asker]
    form = {"message": "Hello", "title": "Mine now"}

    for method, route in _PAGES:
        data = people.with_csrf(client, form) if method == "POST" else None
        path = f"/c/{route.format(everyone.sessions[owner])}"
        found = client.request(method, path, data=data)

        assert found.status_code == 404, (method, route)
    assert _title(everyone, owner) == owner


def test_a_number_that_no_conversation_can_have_is_unknown_too(
    everyone: _Everyone,
) -> None:
    client = everyone.clients["cookie"]
    form = {"message": "Hello", "title": "Mine now", "rating": "good"}

    for method, route in (*_PAGES, ("POST", "{}/rate/1")):
        data = people.with_csrf(client, form) if method == "POST" else None
        found = client.request(method, f"/c/{route.format(2**63)}", data=data)

        assert found.status_code == 404, (method, route)


@pytest.mark.parametrize("kind", _KINDS)
def test_a_list_holds_ones_own_and_nothing_else(everyone: _Everyone, kind: str) -> None:
    listed = everyone.clients[kind].get("/api/v1/sessions/", params={"limit": 100})

    shown = {session["id"] for session in listed.json()["sessions"]}
    foreign = {
        number
        for owner, number in everyone.sessions.items()
        if owner != kind and {owner, kind} != {"user", "user_token"}
    }
    assert everyone.sessions[kind] in shown
    assert not shown & foreign


def test_a_user_and_their_token_are_the_same_owner(everyone: _Everyone) -> None:
    own = everyone.sessions["user"]

    read = everyone.clients["user_token"].get(f"/api/v1/sessions/{own}")

    assert read.status_code == 200


def test_somebody_nobody_knows_has_no_sessions(everyone: _Everyone) -> None:
    listed = everyone.clients["none"].get("/api/v1/sessions/").json()

    assert (listed["sessions"], listed["total"]) == ([], 0)


def test_a_visitor_token_is_given_once(site: servers.Site) -> None:
    with people.stranger(site.url) as client:
        first = client.post("/api/v1/sessions/").json()
        client.headers["Authorization"] = f"Bearer {first['visitor_token']}"

        second = client.post("/api/v1/sessions/").json()

        read = client.get(f"/api/v1/sessions/{first['id']}").json()
        assert "visitor_token" not in second | read
        assert client.get("/api/v1/sessions/").json()["total"] == 2


def test_a_forged_or_stale_cookie_is_nobody(site: servers.Site) -> None:
    with closing(people.visitor_by_cookie(site.url)) as client:
        signed = client.cookies["oracle_visitor"]
        for forged in ("1", signed[:-1] + "x", f"2{signed}", "", "1:a:b"):
            asked = httpx2.get(
                f"{site.url}/api/v1/sessions/", cookies={"oracle_visitor": forged}
            )
            assert asked.json()["total"] == 0, forged


def _lasting(response: httpx2.Response) -> dict[str, Any]:
    return {
        name: value for name, value in response.json().items() if name not in _VOLATILE
    }


def _title(everyone: _Everyone, owner: str) -> str:
    path = f"/api/v1/sessions/{everyone.sessions[owner]}"
    title: str = everyone.clients[owner].get(path).json()["title"]
    return title
