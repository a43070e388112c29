"""Many who do everything at once in a few conversations, on all workers."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests import clients, servers
from tests.clients import STREAM, Api

_CROWD_S = 6.0
_PER_SESSION = 3
_EXPECTED = {200, 204, 400, 409, 422, 502}
_TEXTS = [
    "[[say words=9 delay_ms=10]] short",
    "[[say words=40 delay_ms=10]] long",
    "[[cut after=3]] cut",
    "[[early_end after=4]] early",
    "[[empty_text]] empty",
    "[[safety after=2]] unsafe",
]


def _act(api: Api, session_id: int, chance: random.Random) -> int:
    """Do one thing; return the status of the answer."""
    match chance.choice(["ask", "ask", "stream", "leave", "post", "get", "rename"]):
        case "ask":
            return api.ask(session_id, chance.choice(_TEXTS)).status_code
        case "stream":
            answered = api.ask(session_id, chance.choice(_TEXTS), **STREAM)
            if answered.status_code == 200:
                assert list(clients.events(answered))[-1].name in {"end", "error"}
            return answered.status_code
        case "leave":
            path = f"/api/v1/sessions/{session_id}/chat"
            body = {"message": _TEXTS[1]}
            with api.http.stream("POST", path, json=body, headers=STREAM) as left:
                return left.status_code
        case "post":
            path = chance.choice(["stop", "stop", "retry", "continue"])
            return api.call("POST", f"{session_id}/{path}").status_code
        case "get":
            path = chance.choice(["messages", "events"])
            return api.call("GET", f"{session_id}/{path}").status_code
        case _:
            title = {"title": str(chance.random())}
            return api.call("PATCH", str(session_id), json=title).status_code


def _one_of_the_crowd(url: str, session_id: int, seed: int) -> Counter[int]:
    chance, until = random.Random(seed), time.monotonic() + _CROWD_S
    seen: Counter[int] = Counter()
    with Api(url) as api:
        while time.monotonic() < until:
            seen[_act(api, session_id, chance)] += 1
    return seen


def test_a_crowd_leaves_nothing_stuck_lost_or_doubled(site: servers.Site) -> None:
    with Api(site.url) as api:
        sessions = [api.begin() for _ in range(4)]
        people = [(each, seed) for seed in range(_PER_SESSION) for each in sessions]

        with ThreadPoolExecutor(len(people)) as pool:
            crowd = [
                pool.submit(_one_of_the_crowd, site.url, each, seed * 1000 + each)
                for each, seed in people
            ]
        statuses = sum((one.result() for one in crowd), Counter[int]())

        assert set(statuses) <= _EXPECTED
        assert statuses[200] > len(people)
        for session_id in sessions:
            _require_order(api, session_id)
            assert api.say(session_id, "And now?")["status"] == "complete"


def _require_order(api: Api, session_id: int) -> None:
    """Every message has one answer, in its place, and none is still being made."""
    session = clients.until(lambda: _quiet(api, session_id))
    messages: list[dict[str, str]] = []
    while page := _page(api, session_id, skip=len(messages)):
        messages += page
    assert [each["role"] for each in messages] == ["user", "assistant"] * (
        len(messages) // 2
    )
    assert {each["status"] for each in messages} <= {
        *("complete", "stopped", "interrupted", "blocked", "failed")
    }
    assert session["message_count"] == len(messages)


def _quiet(api: Api, session_id: int) -> dict[str, int] | None:
    """Return the session once no answer runs in it."""
    if api.call("GET", f"{session_id}/events").status_code != 204:
        return None
    session: dict[str, int] = api.call("GET", str(session_id)).json()
    return session


def _page(api: Api, session_id: int, *, skip: int) -> list[dict[str, str]]:
    params = {"skip": skip, "limit": 100}
    found = api.call("GET", f"{session_id}/messages", params=params)
    page: list[dict[str, str]] = found.json()["messages"]
    return page
