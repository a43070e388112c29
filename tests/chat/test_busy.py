"""One answer at a time in a conversation, over any number of workers."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, repeat

import httpx2
import pytest

from tests import servers
from tests.clients import Api

Workers = tuple[Api, Api]
_ROUNDS = 20


@pytest.mark.parametrize("path", ["chat", "retry", "continue"])
def test_a_second_call_is_told_where_the_first_can_be_read(
    workers: Workers, path: str
) -> None:
    here, there = workers
    session_id = here.begin()
    with here.stream(session_id, "[[drip delay_ms=50]] First") as events:
        next(events)

        body = {"message": "Second"} if path == "chat" else None
        refused = there.call("POST", f"{session_id}/{path}", json=body)

        told = refused.json()
        running = there.http.build_request("GET", told["events_url"])
        followed = there.http.send(running, stream=True)
        assert followed.status_code == 200
        followed.close()
        there.call("POST", f"{session_id}/stop")
        list(events)
    assert (refused.status_code, told["error_code"]) == (409, "SESSION_BUSY")
    assert [message["content"] for message in here.messages(session_id)][:1] == [
        "[[drip delay_ms=50]] First"
    ]


def test_of_two_racing_messages_exactly_one_is_taken(workers: Workers) -> None:
    session_id = workers[0].begin()
    taken: list[str] = []

    with ThreadPoolExecutor(2) as pool:
        for turn in range(_ROUNDS):
            texts = [f"[[drip delay_ms=30]] {turn} {side}" for side in "ab"]
            answers = list(pool.map(_ask_or_stop, workers, repeat(session_id), texts))
            statuses = [answer.status_code for answer in answers]
            assert sorted(statuses) == [200, 409]
            taken.append(texts[statuses.index(200)])

    messages = workers[0].messages(session_id)
    assert [each["content"] for each in messages if each["role"] == "user"] == taken
    roles = [message["role"] for message in messages]
    assert all(first != second for first, second in pairwise(roles))
    assert len(messages) == 2 * _ROUNDS
    assert {message["status"] for message in messages} == {"complete", "stopped"}


def _ask_or_stop(api: Api, session_id: int, text: str) -> httpx2.Response:
    """Send a message; who is refused ends the other's answer, however late it was."""
    answered = api.ask(session_id, text)
    if answered.status_code == 409:
        api.call("POST", f"{session_id}/stop")
    return answered


def test_other_sessions_are_not_kept_waiting(workers: Workers) -> None:
    here, there = workers
    busy, free = here.begin(), here.begin()
    with here.stream(busy, "[[drip delay_ms=50]]") as events:
        next(events)

        assert there.say(free, "Hello")["status"] == "complete"

        there.call("POST", f"{busy}/stop")
        list(events)


def test_a_session_is_free_at_once_after_its_answer(api: Api) -> None:
    session_id = api.begin()

    for number in range(10):
        turn = api.say(session_id, f"Message {number}")
        assert turn["session"]["message_count"] == 2 * (number + 1)


def test_a_refused_message_leaves_no_trace(workers: Workers) -> None:
    here, there = workers
    session_id = here.begin()
    with here.stream(session_id, "[[drip delay_ms=50]]") as events:
        next(events)
        before = there.call("GET", str(session_id)).json()

        for _ in range(3):
            assert there.ask(session_id, "Refused").status_code == 409

        after = there.call("GET", str(session_id)).json()
        there.call("POST", f"{session_id}/stop")
        list(events)
    assert after == before
    assert len(here.messages(session_id)) == 2


def test_a_full_worker_says_so_and_stores_nothing(tight_site: servers.Site) -> None:
    with Api(tight_site.url) as api:
        one, other = api.begin(), api.begin()
        drip = "[[drip delay_ms=50]]"
        with Api(tight_site.url) as first, first.stream(one, drip) as events:
            next(events)

            refused = api.ask(other, "Too much")

            api.call("POST", f"{one}/stop")
            list(events)
        assert refused.status_code == 503
        assert refused.json()["error_code"] == "SERVICE_UNAVAILABLE"
        assert int(refused.headers["retry-after"]) > 0
        assert api.messages(other) == []
        assert api.say(other, "Now")["status"] == "complete"
