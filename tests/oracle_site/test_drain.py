"""A web server that is told to end finishes what it has begun."""

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from chat.local_gemini.scripted import answer
from tests import people, servers
from tests.clients import Api, text_of

_GRACE_S = 8  # the least is 6, of which the drain gets all but 5
_STORED = """
import json
from chat.models import Generation, Message
print(json.dumps({
    "messages": list(Message.objects.order_by("id").values_list("status", "content")),
    "running": Generation.objects.filter(status="running").count(),
}))
"""


@pytest.fixture
def ending_site(local_gemini: str, tmp_path: Path) -> Iterator[servers.Site]:
    with servers.site(
        tmp_path / "ending",
        gemini_url=local_gemini,
        workers=1,
        GRACEFUL_TIMEOUT_S=str(_GRACE_S),
    ) as running:
        yield running


def _late(api: Api, session_id: int) -> httpx2.Response | None:
    """Send a message; None when nobody listens any more."""
    with contextlib.suppress(httpx2.TransportError):
        return api.ask(session_id, "Late")
    return None


def test_a_running_answer_is_finished_and_a_late_message_not_lost(
    ending_site: servers.Site,
) -> None:
    slow = "[[say words=40 delay_ms=40]] Finish me"
    with (
        Api(ending_site.url) as api,
        Api(ending_site.url) as other,
        Api(ending_site.url) as idle,
    ):
        session_id, late_id = api.begin(), other.begin()
        idle.begin()
        with api.stream(session_id, slow) as events:
            seen = [next(events), next(events)]

            ending_site.master.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            late = _late(other, late_id)
            seen += events
        # The idle connection, still open here, does not hold up the end.
        assert ending_site.master.wait(_GRACE_S - 3) == 0

    assert text_of(seen) == answer("Finish me", words=40)
    assert seen[-1].data["status"] == "complete"
    is_answered = late is not None and late.status_code == 200
    assert is_answered or late is None or late.status_code == 503
    stored = people.run(ending_site, _STORED)
    assert stored["running"] == 0
    statuses = [status for status, _ in stored["messages"]]
    assert statuses == ["complete"] * (4 if is_answered else 2)


def test_an_answer_that_takes_too_long_is_interrupted_and_its_text_kept(
    ending_site: servers.Site,
) -> None:
    with Api(ending_site.url) as api:
        session_id = api.begin()
        with api.stream(session_id, "[[drip delay_ms=50]] Endless") as events:
            seen = [next(events), next(events)]

            ending_site.master.send_signal(signal.SIGTERM)
            seen += events

    assert ending_site.master.wait(_GRACE_S + 5) == 0
    stored = people.run(ending_site, _STORED)
    assert stored["running"] == 0
    assert stored["messages"][1] == ["interrupted", text_of(seen)]
    assert answer("Endless", words=1000).startswith(text_of(seen))
    assert seen[-1].data["error_code"] == "SERVICE_UNAVAILABLE"


def test_a_process_that_is_ending_asks_for_no_more_traffic(
    ending_site: servers.Site,
) -> None:
    with Api(ending_site.url) as api, Api(ending_site.url) as balancer:
        session_id = api.begin()
        assert balancer.http.get("/readyz").json()["status"] == "ready"
        with api.stream(session_id, "[[say words=60 delay_ms=40]] Slow") as events:
            next(events)

            ending_site.master.send_signal(signal.SIGTERM)
            answers = _until_it_ends(balancer)
            list(events)

    assert answers[-1].status_code == 503
    assert answers[-1].json()["reasons"] == ["This process is ending."]


def _until_it_ends(balancer: Api) -> list[httpx2.Response]:
    """Ask on a connection that is open already, until it says no or is closed."""
    answers = [balancer.http.get("/readyz")]
    with contextlib.suppress(httpx2.TransportError):
        while answers[-1].status_code == 200:
            answers.append(balancer.http.get("/readyz"))
    return answers
