"""What every answer carries, and which requests pay for what."""

import httpx2
import pytest

from tests import people

_PAGES = ["/", "/login", "/no-such-page", "/c/999999/"]
_API = "/api/v1/sessions/"


@pytest.mark.parametrize("path", [*_PAGES, _API, "/health", "/api/v1/no-such"])
def test_every_answer_is_armoured(live_site: str, path: str) -> None:
    headers = httpx2.get(f"{live_site}{path}").headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_only_the_documentation_has_styles_of_its_own(live_site: str) -> None:
    policy = httpx2.get(f"{live_site}/api/v1/docs").headers["content-security-policy"]

    assert "style-src 'self' 'unsafe-inline'" in policy
    assert policy.count("unsafe") == 1


@pytest.mark.parametrize("path", [_API, "/health", "/api/v1/openapi.json"])
def test_a_call_of_the_api_sets_no_cookie(live_site: str, path: str) -> None:
    assert "set-cookie" not in httpx2.get(f"{live_site}{path}").headers


def test_the_start_page_makes_nobody_a_visitor(live_site: str) -> None:
    cookies = httpx2.get(f"{live_site}/").headers.get_list("set-cookie")

    assert all(text.startswith("csrftoken=") for text in cookies)


@pytest.mark.parametrize("path", ["/", "/c/999999/"])
def test_a_page_is_kept_by_no_cache(live_site: str, path: str) -> None:
    assert "no-store" in httpx2.get(f"{live_site}{path}").headers["cache-control"]


def test_what_is_ones_own_is_kept_by_no_cache(live_site: str) -> None:
    with httpx2.Client(base_url=live_site) as client:
        session_id = client.post(_API).json()["id"]

        read = client.get(f"{_API}{session_id}/messages")

    assert "no-store" in read.headers.get("cache-control", "")


def test_a_page_that_is_missing_is_a_page(live_site: str) -> None:
    missing = httpx2.get(f"{live_site}/no-such-page")

    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")


def test_a_form_without_its_token_gets_a_page_that_says_what_to_do(
    live_site: str,
) -> None:
    refused = httpx2.post(f"{live_site}/c/new", data={"message": "Keep <me>"})

    assert refused.status_code == 403
    assert refused.headers["content-type"].startswith("text/html")
    assert "reload the page" in refused.text


@pytest.mark.parametrize("path", ["/c/1/send", "/c/1/stop", "/c/1/delete", "/logout"])
def test_a_form_of_another_site_changes_nothing(live_site: str, path: str) -> None:
    refused = httpx2.post(
        f"{live_site}{path}", data={"message": "x"}, headers={"Origin": "https://a.b"}
    )

    assert refused.status_code == 403


def test_a_wrong_password_opens_no_session(live_site: str) -> None:
    with httpx2.Client(base_url=live_site) as client:
        form = {"username": "nobody", "password": "wrong"}
        tried = client.post(
            "/login", data=people.with_csrf(client, form, page="/login")
        )

    assert tried.status_code == 200
    assert "sessionid" not in tried.cookies


@pytest.mark.parametrize("given", ["trace-1", "A" * 64])
def test_a_page_gives_the_request_id_back(live_site: str, given: str) -> None:
    answered = httpx2.get(f"{live_site}/", headers={"X-Request-ID": given})

    assert answered.headers["x-request-id"] == given


def test_no_next_page_leads_away_from_here(live_site: str) -> None:
    for place in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        page = httpx2.get(f"{live_site}/login", params={"next": place})

        assert page.status_code == 200
        assert place not in page.headers.get("location", "")
