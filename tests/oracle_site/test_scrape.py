"""Who may read `/metrics`, and how it is asked for."""

from contextlib import closing

import httpx2
import pytest

from tests import clients, people, servers
from tests.chat import persistent
from tests.monitoring import scraped
from tests.people import FROM_ELSEWHERE

_PATH = "/metrics"


def _code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_code"]


@pytest.mark.parametrize("path", [_PATH, f"{_PATH}/"])
def test_the_host_itself_may_read(site: servers.Site, path: str) -> None:
    answer = httpx2.get(f"{site.url}{path}")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "oracle_build_info" in scraped.families(answer.text)


def test_only_reading_is_possible(site: servers.Site) -> None:
    assert httpx2.head(f"{site.url}{_PATH}").status_code == 200
    assert httpx2.post(f"{site.url}{_PATH}").status_code in {403, 405}


def test_behind_a_proxy_nobody_is_the_host_itself(site: servers.Site) -> None:
    answer = httpx2.get(f"{site.url}{_PATH}", headers=FROM_ELSEWHERE)

    assert _code(answer) == (401, "NOT_AUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_visitor_may_not_read(site: servers.Site) -> None:
    with closing(people.visitor_by_cookie(site.url)) as visitor:
        answer = visitor.get(_PATH, headers=FROM_ELSEWHERE)

    assert _code(answer) == (401, "NOT_AUTHENTICATED")


def test_people_who_are_no_staff_may_not_read_and_a_monitoring_token_may(
    site: servers.Site,
) -> None:
    somebody = people.name("somebody")
    tokens = people.add_users(site, somebody)[somebody]

    with closing(people.signed_in(site.url, somebody)) as user:
        assert _code(user.get(_PATH, headers=FROM_ELSEWHERE)) == (
            403,
            "PERMISSION_DENIED",
        )
    for kind, status in (("monitoring", 200), ("chat", 403), ("expired", 401)):
        with people.by_token(site.url, tokens[kind]) as holder:
            assert holder.get(_PATH, headers=FROM_ELSEWHERE).status_code == status


def test_staff_may_read_from_anywhere(site: servers.Site) -> None:
    staff = people.name("staff")
    people.add_superuser(site, staff)

    with closing(people.signed_in(site.url, staff)) as signed_in:
        assert signed_in.get(_PATH, headers=FROM_ELSEWHERE).status_code == 200


def test_nothing_is_counted_while_tracking_is_off(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("untracked")
    with (
        persistent.site(
            folder,
            gemini_url=local_gemini,
            ENABLE_PERFORMANCE_TRACKING="false",
        ) as running,
        clients.Api(running.url) as api,
    ):
        session = api.begin()
        for _ in range(3):
            api.say(session, "Hello")
        before = scraped.cumulative(scraped.read(running.url))
        persistent.change(running, ENABLE_PERFORMANCE_TRACKING="true")
        turned_on = _said_until_counted(running, api, session)

    assert set(before.values()) <= {0}
    assert turned_on >= 1


def _said_until_counted(site: servers.Site, api: clients.Api, session: int) -> float:
    """Return how many turns are counted once any request is; other totals follow."""

    def counted() -> float:
        api.say(session, "Hello")
        found = scraped.samples(scraped.read(site.url))
        if not scraped.of(found, "oracle_http_requests_total"):
            return 0
        return scraped.of(found, "oracle_turns_total", status="complete")

    return clients.until(counted)
