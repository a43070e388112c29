"""Who may read the monitoring endpoints, and who may not."""

from contextlib import closing
from dataclasses import dataclass

import httpx2
import pytest
from django.conf import LazySettings
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from chat.errors import NotAuthenticated
from oracle_site import env, monitors
from tests import people, servers
from tests.people import FROM_ELSEWHERE

_PATHS = [
    f"/api/v1/monitoring/{path}"
    for path in (
        "health/detailed",
        "health/sessions",
        "health/sessions/performance",
        "sessions/analytics",
    )
]


@dataclass(frozen=True, slots=True)
class _Crew:
    """An operator and somebody else, with their tokens."""

    staff: str
    somebody: str
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def crew(site: servers.Site) -> _Crew:
    staff, somebody = people.name("staff"), people.name("somebody")
    people.add_superuser(site, staff)
    tokens = people.add_users(site, somebody)[somebody]
    return _Crew(staff, somebody, tokens)


def _code(answer: httpx2.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("error_code")


@pytest.mark.parametrize("path", _PATHS)
def test_the_host_itself_may_read(site: servers.Site, path: str) -> None:
    assert httpx2.get(f"{site.url}{path}").status_code == 200


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "localhost"},
    ],
    ids=lambda header: next(iter(header)),
)
def test_behind_a_proxy_nobody_is_the_host_itself(
    site: servers.Site, path: str, header: dict[str, str]
) -> None:
    answer = httpx2.get(f"{site.url}{path}", headers=header)

    assert _code(answer) == (401, "NOT_AUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", _PATHS)
def test_a_visitor_may_not_read(site: servers.Site, path: str) -> None:
    with closing(people.visitor_by_cookie(site.url)) as visitor:
        answer = visitor.get(path, headers=FROM_ELSEWHERE)

    assert _code(answer) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("path", _PATHS)
def test_staff_may_read_from_anywhere(
    site: servers.Site, crew: _Crew, path: str
) -> None:
    with closing(people.signed_in(site.url, crew.staff)) as staff:
        assert staff.get(path, headers=FROM_ELSEWHERE).status_code == 200


@pytest.mark.parametrize("path", _PATHS)
def test_a_user_who_is_no_staff_may_not_read(
    site: servers.Site, crew: _Crew, path: str
) -> None:
    with closing(people.signed_in(site.url, crew.somebody)) as somebody:
        answer = somebody.get(path, headers=FROM_ELSEWHERE)

    assert _code(answer) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("monitoring", (200, None)),
        ("chat", (403, "PERMISSION_DENIED")),
        ("read", (403, "PERMISSION_DENIED")),
        ("expired", (401, "NOT_AUTHENTICATED")),
        ("revoked", (401, "NOT_AUTHENTICATED")),
    ],
)
@pytest.mark.parametrize("origin", [{}, FROM_ELSEWHERE], ids=["host", "elsewhere"])
def test_a_token_must_be_of_the_monitoring_scope(
    site: servers.Site,
    crew: _Crew,
    kind: str,
    expected: tuple[int, str | None],
    origin: dict[str, str],
) -> None:
    with people.by_token(site.url, crew.tokens[kind]) as holder:
        answers = [_code(holder.get(path, headers=origin)) for path in _PATHS]

    assert answers == [expected] * 4


@pytest.mark.parametrize("path", _PATHS)
def test_nothing_can_be_written(site: servers.Site, path: str) -> None:
    assert httpx2.post(f"{site.url}{path}").status_code == 405


@pytest.mark.parametrize(
    ("configured", "peer", "is_let_in"),
    [
        ("loopback", "127.0.0.1", True),
        ("loopback", "127.8.8.8", True),
        ("loopback", "::1", True),
        ("loopback", "::ffff:127.0.0.1", True),
        ("loopback", "10.0.0.7", False),
        ("none", "127.0.0.1", False),
        ("none", "::1", False),
        ("10.0.0.0/8", "10.0.0.7", True),
        ("10.0.0.0/8", "127.0.0.1", False),
        ("10.0.0.0/8", "::ffff:10.0.0.7", True),
        ("10.0.0.0/8", "fd00::7", False),
        ("loopback, fd00::/8", "fd00::7", True),
        ("loopback", "", False),
    ],
)
async def test_trusted_addresses_are_those_of_the_setting(
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    configured: str,
    peer: str,
    is_let_in: bool,
) -> None:
    monkeypatch.setenv("MONITORING_TRUSTED_ADDRESSES", configured)
    settings.MONITORING_TRUSTED_ADDRESSES = env.networks("MONITORING_TRUSTED_ADDRESSES")
    request = RequestFactory().get("/", REMOTE_ADDR=peer)
    request.user = AnonymousUser()

    if is_let_in:
        assert await monitors.require(request)
    else:
        with pytest.raises(NotAuthenticated):
            await monitors.require(request)
