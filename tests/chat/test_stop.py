"""Stopping an answer, from the process that makes it or from another."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chat.local_gemini.scripted import answer
from tests import clients
from tests.clients import Api, text_of

Workers = tuple[Api, Api]
_SOON_S = 2.0  # the promise is one second, on a machine that is not busy


@pytest.mark.parametrize("is_other_worker", [True, False])
def test_a_stop_from_any_worker_ends_the_answer_and_frees_the_model(
    workers: Workers, local_gemini: str, marker: str, is_other_worker: bool
) -> None:
    here = workers[0]
    session_id = here.begin()
    drip = f"[[drip delay_ms=20]] {marker}"
    with (
        clients.on_worker(here.url, workers[is_other_worker].pid or 0) as there,
        here.stream(session_id, drip) as events,
    ):
        seen = [next(events) for _ in range(5)]

        asked_at = time.monotonic()
        stopped = there.call("POST", f"{session_id}/stop")
        seen += events
        took_s = time.monotonic() - asked_at

    assert stopped.json() == {"stopped": True}
    assert (seen[-1].name, seen[-1].data["status"]) == ("end", "stopped")
    assert took_s < _SOON_S
    stored = here.messages(session_id)[1]
    assert (stored["status"], stored["content"]) == ("stopped", text_of(seen))
    assert answer(marker, words=2000).startswith(stored["content"])
    [request] = clients.until(
        lambda: [
            entry
            for entry in clients.requests(local_gemini, marker)
            if entry["ended_at"]
        ]
    )
    assert request["disconnected"]


def test_a_stop_before_the_first_word_leaves_an_empty_answer(
    api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    with Api(api.url) as other, other.stream(session_id, f"[[hang]] {marker}") as seen:
        next(seen)
        clients.until(lambda: clients.requests(local_gemini, marker))

        assert api.call("POST", f"{session_id}/stop").json() == {"stopped": True}

        assert next(seen).data["status"] == "stopped"
    assert api.messages(session_id)[1]["content"] == ""
    clients.until(lambda: clients.requests(local_gemini, marker)[0]["disconnected"])


def test_a_plain_call_gets_the_stopped_turn(workers: Workers) -> None:
    here, there = workers
    session_id = here.begin()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(here.say, session_id, "[[drip delay_ms=20]]")
        clients.until(
            lambda: there.call("POST", f"{session_id}/stop").json()["stopped"]
        )

        turn = asked.result()

    assert turn["status"] == turn["assistant_message"]["status"] == "stopped"


def test_there_is_nothing_to_stop_twice(api: Api) -> None:
    session_id = api.begin()
    with Api(api.url) as other, other.stream(session_id, "[[drip]]") as events:
        next(events)
        api.call("POST", f"{session_id}/stop")
        list(events)

        again = api.call("POST", f"{session_id}/stop")

    assert (again.status_code, again.json()) == (200, {"stopped": False})


def test_a_stop_in_a_quiet_session_stops_nothing(api: Api) -> None:
    answered = api.call("POST", f"{api.begin()}/stop")

    assert (answered.status_code, answered.json()) == (200, {"stopped": False})


def test_the_conversation_goes_on_after_a_stop(api: Api) -> None:
    session_id = api.begin()
    with Api(api.url) as other, other.stream(session_id, "[[drip]]") as events:
        next(events)
        api.call("POST", f"{session_id}/stop")
        list(events)

    assert api.say(session_id, "And now?")["status"] == "complete"
    statuses = [message["status"] for message in api.messages(session_id)]
    assert statuses == ["complete", "stopped", "complete", "complete"]
