"""No model, a wrong key, and a model that comes back."""

from collections.abc import Iterator

import httpx2
import pytest

from oracle_site.launcher.claims import free_port
from tests import clients, servers
from tests.clients import Api

_FAILURES = 3


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def lonely_site(
    port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site whose model's address nobody listens at."""
    with servers.site(
        tmp_path_factory.mktemp("lonely"),
        gemini_url=f"http://127.0.0.1:{port}",
        workers=1,
        GEMINI_MAX_RETRIES="0",
        GEMINI_BREAKER_FAILURES=str(_FAILURES),
        GEMINI_BREAKER_OPEN_S="1",
    ) as running:
        yield running


def _health(site: servers.Site) -> tuple[int, str]:
    answered = httpx2.get(f"{site.url}/health")
    return answered.status_code, answered.json()["status"]


def test_a_model_that_is_away_is_left_alone_for_a_while_and_used_when_it_is_back(
    lonely_site: servers.Site, port: int
) -> None:
    with Api(lonely_site.url) as api:
        session_id = api.begin()
        refusals = [api.ask(session_id, "Hello?") for _ in range(_FAILURES)]
        spared = api.ask(session_id, "Hello??")

        assert {refused.status_code for refused in refusals} == {502}
        assert {each.json()["error_code"] for each in refusals} == {"GEMINI_API_ERROR"}
        assert spared.status_code == 503
        assert spared.json()["error_code"] == "SERVICE_UNAVAILABLE"
        assert 0 < int(spared.headers["retry-after"]) <= 1
        assert _health(lonely_site) == (200, "degraded")  # and never 503
        statuses = [message["status"] for message in api.messages(session_id)]
        assert statuses == ["complete", "failed"] * (_FAILURES + 1)

        with servers.local_gemini("--port", str(port)):
            clients.until(
                lambda: (
                    api.call("POST", f"{session_id}/retry").status_code in {200, 400}
                )
            )
            assert api.say(session_id, "Hello again")["status"] == "complete"


def test_a_wrong_key_is_the_operators_matter_and_shown_to_nobody(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    key = "wrong-key"
    with (
        servers.site(
            tmp_path_factory.mktemp("keyless"),
            gemini_url=local_gemini,
            workers=1,
            GEMINI_API_KEY=key,
        ) as site,
        Api(site.url) as api,
    ):
        session_id = api.begin()

        refused = api.ask(session_id, "Hello")

        assert refused.status_code == 502
        assert refused.json()["error_code"] == "GEMINI_API_ERROR"
        assert "operator" in refused.json()["detail"]
        assert key not in refused.text
        assert key not in site.log()
        assert api.messages(session_id)[0]["content"] == "Hello"
