"""Which credentials open what: tokens, cookies, calls of the host itself, login."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx2
import pytest

from tests import people, servers

_SESSIONS = "/api/v1/sessions/"
_VISITOR_TOKEN = """
import json
from chat import ownership
print(json.dumps(ownership.issue_token(ownership.new_visitor(), name="test")))
"""


@dataclass
class _User:
    name: str
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def carol(site: servers.Site) -> _User:
    name = people.name("carol")
    return _User(name, people.add_users(site, name)[name])


@pytest.fixture(scope="module")
def locked(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site that only users may enter."""
    with servers.site(
        tmp_path_factory.mktemp("locked"),
        gemini_url=local_gemini,
        workers=1,
        ORACLE_ACCESS="login",
        ORACLE_LOCAL_OWNER="false",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def dora(locked: servers.Site) -> _User:
    return _User("dora", people.add_users(locked, "dora")["dora"])


def _require_refused(response: httpx2.Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.json()["error_code"] == code
    if status == 401:
        assert response.headers["www-authenticate"] == "Bearer"


# --- Tokens ---


def test_a_reading_token_reads_and_writes_nothing(
    site: servers.Site, carol: _User
) -> None:
    with people.by_token(site.url, carol.tokens["read"]) as client:
        assert client.get(_SESSIONS).status_code == 200
        for method, path in [
            ("POST", _SESSIONS),
            ("PUT", f"{_SESSIONS}1"),
            ("DELETE", f"{_SESSIONS}1"),
            ("POST", f"{_SESSIONS}1/stop"),
        ]:
            body = {"title": "x"} if method == "PUT" else None
            refused = client.request(method, path, json=body)
            _require_refused(refused, 403, "PERMISSION_DENIED")


def test_a_monitoring_token_opens_no_conversation(
    site: servers.Site, carol: _User
) -> None:
    with people.by_token(site.url, carol.tokens["monitoring"]) as client:
        _require_refused(client.get(_SESSIONS), 403, "PERMISSION_DENIED")


@pytest.mark.parametrize("ending", ["expired", "revoked"])
def test_a_token_that_has_ended_is_refused(
    site: servers.Site, carol: _User, ending: str
) -> None:
    with people.by_token(site.url, carol.tokens[ending]) as client:
        _require_refused(client.get(_SESSIONS), 401, "NOT_AUTHENTICATED")


def test_a_token_that_is_revoked_by_the_operator_ends_at_once(
    site: servers.Site, carol: _User
) -> None:
    token = site.manage("api_token", "create", carol.name, "laptop").strip()

    with people.by_token(site.url, token) as client:
        assert client.get(_SESSIONS).status_code == 200
        site.manage("api_token", "revoke", token[:12])
        _require_refused(client.get(_SESSIONS), 401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize(
    "given", ["Bearer nonsense", "Bearer", "Basic YTpi", "bearer\tx", "x"]
)
def test_a_credential_that_is_none_is_refused_even_from_this_host(
    site: servers.Site, given: str
) -> None:
    refused = httpx2.get(f"{site.url}{_SESSIONS}", headers={"Authorization": given})

    _require_refused(refused, 401, "NOT_AUTHENTICATED")


def test_a_bad_token_is_not_saved_by_a_good_cookie(site: servers.Site) -> None:
    with closing(people.visitor_by_cookie(site.url)) as client:
        refused = client.get(_SESSIONS, headers={"Authorization": "Bearer x"})

    _require_refused(refused, 401, "NOT_AUTHENTICATED")


def test_the_text_of_a_token_is_stored_nowhere(
    site: servers.Site, carol: _User
) -> None:
    token = carol.tokens["chat"].encode()

    stored = [path.read_bytes() for path in site.data_dir.glob("oracle.sqlite3*")]
    assert any(token[:12] in content for content in stored)
    assert not any(token in content for content in [*stored, site.log().encode()])


# --- Calls of the host itself ---


def test_calls_of_the_host_itself_share_one_owner(site: servers.Site) -> None:
    made = httpx2.post(f"{site.url}{_SESSIONS}").json()

    read = httpx2.get(f"{site.url}{_SESSIONS}{made['id']}")

    assert "visitor_token" not in made
    assert read.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_what_comes_from_elsewhere_is_not_the_host_itself(
    site: servers.Site, headers: dict[str, str]
) -> None:
    own = httpx2.post(f"{site.url}{_SESSIONS}").json()["id"]

    made = httpx2.post(f"{site.url}{_SESSIONS}", headers=headers)
    read = httpx2.get(f"{site.url}{_SESSIONS}{own}", headers=headers)

    assert "visitor_token" in made.json()
    assert read.status_code == 404


def test_a_page_of_this_site_on_this_host_is_the_host_itself(
    site: servers.Site,
) -> None:
    headers = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}

    made = httpx2.post(f"{site.url}{_SESSIONS}", headers=headers)

    assert "visitor_token" not in made.json()


# --- Cookies ---


@pytest.mark.parametrize("kind", ["visitor", "user"])
def test_a_cookie_writes_only_with_the_csrf_token(
    site: servers.Site, carol: _User, kind: str
) -> None:
    url = site.url
    is_user = kind == "user"
    client = (
        people.signed_in(url, carol.name) if is_user else people.visitor_by_cookie(url)
    )
    with closing(client):
        own = client.post(_SESSIONS).json()["id"]
        right = client.headers.pop("X-CSRFToken")
        writes = [
            ("POST", _SESSIONS),
            ("PUT", f"{_SESSIONS}{own}"),
            ("DELETE", f"{_SESSIONS}{own}"),
            ("POST", f"{_SESSIONS}{own}/chat"),
            ("POST", f"{_SESSIONS}{own}/stop"),
            ("POST", f"{_SESSIONS}{own}/retry"),
            ("POST", f"{_SESSIONS}{own}/continue"),
        ]
        for headers in ({}, {"X-CSRFToken": "x" * 64}):
            for method, path in writes:
                body = {"message": "x"} if "chat" in path else {}
                refused = client.request(method, path, json=body, headers=headers)
                _require_refused(refused, 403, "PERMISSION_DENIED")

        allowed = client.delete(f"{_SESSIONS}{own}", headers={"X-CSRFToken": right})

    assert allowed.status_code == 200


def test_the_visitors_cookie_is_out_of_reach_for_scripts(site: servers.Site) -> None:
    with closing(httpx2.Client(base_url=site.url)) as client:
        form = people.with_csrf(client, {"message": "Hello"})
        begun = client.post("/c/new", data=form, headers={"Accept": "application/json"})

    cookies = [
        text
        for text in begun.headers.get_list("set-cookie")
        if text.startswith("oracle_visitor=")
    ]
    assert len(cookies) == 1
    assert "HttpOnly" in cookies[0]
    assert "SameSite=Lax" in cookies[0]


# --- Login ---


@pytest.mark.parametrize("headers", [{}, people.FROM_ELSEWHERE])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_where_login_is_required_a_stranger_is_told_so(
    locked: servers.Site, method: str, headers: dict[str, str]
) -> None:
    refused = httpx2.request(method, f"{locked.url}{_SESSIONS}", headers=headers)

    _require_refused(refused, 401, "NOT_AUTHENTICATED")


def test_where_login_is_required_a_page_leads_there(locked: servers.Site) -> None:
    answered = httpx2.get(f"{locked.url}/")

    assert answered.status_code == 302
    assert answered.headers["location"].startswith("/login?next=/")


def test_where_login_is_required_visitors_keep_out(locked: servers.Site) -> None:
    token = people.run(locked, _VISITOR_TOKEN)

    with people.by_token(locked.url, str(token)) as client:
        _require_refused(client.get(_SESSIONS), 401, "NOT_AUTHENTICATED")


def test_where_login_is_required_users_and_their_tokens_come_in(
    locked: servers.Site, dora: _User
) -> None:
    with (
        people.by_token(locked.url, dora.tokens["chat"]) as machine,
        closing(people.signed_in(locked.url, "dora")) as browser,
    ):
        made = machine.post(_SESSIONS).json()["id"]
        assert browser.get(f"{_SESSIONS}{made}").status_code == 200
        assert browser.get(f"/c/{made}/").status_code == 200


def test_passwords_can_not_be_guessed_fast(tight_site: servers.Site) -> None:
    with closing(httpx2.Client(base_url=tight_site.url)) as client:
        form = people.with_csrf(
            client, {"username": "admin", "password": "wrong"}, page="/login"
        )

        statuses = [client.post("/login", data=form).status_code for _ in range(6)]

    assert 429 in statuses
    assert statuses.count(200) <= 3


def test_a_token_reads_while_nobody_can_write(tight_site: servers.Site) -> None:
    """That it was used is noted later; reading does not wait for it."""
    database = tight_site.data_dir / "oracle.sqlite3"
    with (
        people.visitor_by_token(tight_site.url) as client,
        closing(sqlite3.connect(database, isolation_level=None)) as stranger,
    ):
        stranger.execute("BEGIN EXCLUSIVE")
        began_at = time.monotonic()

        listed = client.get(_SESSIONS)

        assert time.monotonic() - began_at < 5
        stranger.execute("ROLLBACK")
    assert (listed.status_code, listed.json()["total"]) == (200, 1)
