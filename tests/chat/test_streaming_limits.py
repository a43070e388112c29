"""Signs of life while the model thinks, and a bound on open streams."""

import contextlib

from tests import clients, servers
from tests.clients import Api

_MAX_STREAMS = 3


def _again(api: Api) -> Api:
    """Return another connection of the same visitor."""
    return Api(api.url, Authorization=api.http.headers["Authorization"])


def test_a_silent_model_shows_as_signs_of_life(tight_site: servers.Site) -> None:
    silent = "[[say words=2 first_ms=3500]]"
    with clients.visitor(tight_site.url) as api:
        session_id = api.begin()
        with api.stream(session_id, silent) as events:
            names = [event.name for event in events]

    silence = names[1 : names.index("delta")]
    assert names[0] == "accepted"
    assert len(silence) >= 2
    assert set(silence) == {"comment"}
    assert names[-1] == "end"


def test_readers_that_leave_free_their_places(tight_site: servers.Site) -> None:
    with clients.visitor(tight_site.url) as api, _again(api) as stopping:
        session_id = api.begin()
        with api.stream(session_id, "[[drip delay_ms=50]]") as events:
            next(events)
            for _ in range(4 * _MAX_STREAMS):
                with _again(api) as reader, reader.follow(session_id) as followed:
                    assert next(followed).name == "accepted"
                    assert next(followed).name == "delta"
            stopping.call("POST", f"{session_id}/stop")
            assert list(events)[-1].data["status"] == "stopped"


def test_a_reader_too_many_is_told_so(tight_site: servers.Site) -> None:
    with (
        clients.visitor(tight_site.url) as api,
        _again(api) as late,
        contextlib.ExitStack() as readers,
    ):
        session_id = api.begin()
        drip = api.stream(session_id, "[[drip delay_ms=50]]")
        reading = [readers.enter_context(drip)]
        for _ in range(_MAX_STREAMS - 1):
            reader = readers.enter_context(_again(api))
            reading.append(readers.enter_context(reader.follow(session_id)))
        for events in reading:
            assert [next(events).name for _ in range(2)] == ["accepted", "delta"]

        with late.follow(session_id) as refused:
            seen = list(refused)

        late.call("POST", f"{session_id}/stop")
        assert [event.name for event in seen] == ["accepted", "error"]
        assert seen[-1].data["error_code"] == "SERVICE_UNAVAILABLE"
        for events in reading:
            assert list(events)[-1].data["status"] == "stopped"
