"""The status page of a running site, for anybody, and its notice in the chat."""

import time
from collections.abc import Callable, Iterator

import httpx2
import pytest

from tests import people, servers
from tests.people import FROM_ELSEWHERE

_PATIENCE_S = 20.0
_PUBLISH = """
import json
from monitoring import incidents

made = incidents.open_by_hand(
    "host-7 is <broken>", severity="critical", impact="secret", actor="alice-operator"
)
incidents.publish(
    made.pk, title="Answers <fail>", text="We look into it.", actor="alice-operator"
)
print(json.dumps(made.pk))
"""
_RESOLVE = """
from monitoring import incidents

incidents.resolve({pk}, actor="alice-operator", text="All is well.", is_public=True)
print("null")
"""


@pytest.fixture(scope="module")
def shown(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site of its own: the setting and the incident are everybody's."""
    with servers.site(
        tmp_path_factory.mktemp("status"),
        gemini_url=local_gemini,
        workers=1,
        PUBLIC_STATUS_PAGE="true",
    ) as running:
        yield running


def _until(
    ask: Callable[[], httpx2.Response], is_so: Callable[[httpx2.Response], bool]
) -> httpx2.Response:
    """Ask until it is so; the page follows within seconds."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        answer = ask()
        if is_so(answer):
            return answer
        time.sleep(0.1)
    raise AssertionError(f"It never was so: {answer.status_code} {answer.text}")


def _page(site: servers.Site, path: str = "/status") -> httpx2.Response:
    return httpx2.get(f"{site.url}{path}", headers=FROM_ELSEWHERE)


def _until_it_answers(site: servers.Site, path: str, code: int) -> None:
    _until(lambda: _page(site, path), lambda answer: answer.status_code == code)


def _set(site: servers.Site, value: str) -> None:
    site.manage("settings", "set", "PUBLIC_STATUS_PAGE", value, "--reason", "Test")


def test_an_incident_is_told_from_its_publication_to_its_end(
    shown: servers.Site,
) -> None:
    pk = people.run(shown, _PUBLISH)

    page = _until(lambda: _page(shown), lambda answer: "Answers" in answer.text)
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert page.headers["cache-control"].startswith("public")
    assert "We are working on 1 problem." in page.text
    assert "No other incident." in page.text
    assert "Answers &lt;fail&gt;" in page.text
    for internal in ("host-7", "secret", "alice", "http-equiv"):
        assert internal not in page.text
    home = httpx2.get(f"{shown.url}/")
    assert "<b>Answers &lt;fail&gt;</b>: We look into it." in home.text

    people.run(shown, _RESOLVE.format(pk=pk))
    document = _until(
        lambda: _page(shown, "/status.json"),
        lambda answer: not answer.json()["open_incidents"],
    ).json()
    assert document["past_incidents"][0]["status"] == "resolved"
    assert document["past_incidents"][0]["updates"][0]["text"] == (
        "Resolved. All is well."
    )
    assert "Answers &lt;fail&gt;" not in httpx2.get(f"{shown.url}/").text


def test_it_can_be_switched_off_and_on(shown: servers.Site) -> None:
    _until(lambda: _page(shown), lambda answer: answer.status_code == 200)

    _set(shown, "false")
    for path in ("/status", "/status.json"):
        _until_it_answers(shown, path, 404)
    _set(shown, "true")
    for path in ("/status", "/status/", "/status.json"):
        _until_it_answers(shown, path, 200)


def test_it_can_only_be_read(shown: servers.Site) -> None:
    _until_it_answers(shown, "/status", 200)

    assert httpx2.head(f"{shown.url}/status").status_code == 200
    assert httpx2.post(f"{shown.url}/status").status_code in {403, 405}


def test_without_its_database_it_says_that_it_cannot_tell(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ruined")
    with servers.site(
        folder, gemini_url=local_gemini, workers=1, PUBLIC_STATUS_PAGE="true"
    ) as site:
        _until(lambda: _page(site), lambda answer: answer.status_code == 200)
        for file in folder.glob("oracle.sqlite3*"):
            file.write_bytes(b"ruined" * 10_000)

        page = _until(lambda: _page(site), lambda answer: answer.status_code == 503)

        assert "We can't tell right now." in page.text
        assert page.headers["cache-control"] == "no-store"
        document = _page(site, "/status.json")
        assert document.status_code == 503
        assert document.json()["status"] == "unknown"
        began = time.monotonic()
        _page(site)
        assert time.monotonic() - began < 4
