"""An answer as it streams: read from anywhere, resumed anywhere, lost nowhere."""

from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile

import httpx2
import pytest

from chat.local_gemini.prose import MULTILINGUAL
from chat.local_gemini.scripted import answer
from tests import clients
from tests.clients import STREAM, Api, Event, text_of

Workers = tuple[Api, Api]


def _offsets_are_characters(seen: list[Event], *, after: int = 0) -> bool:
    offset = after
    for event in seen:
        if event.name == "delta":
            offset += len(event.data["text"])
            if event.id != offset:
                return False
    return True


def test_an_answer_streams_as_accepted_text_and_end(api: Api) -> None:
    session_id = api.begin()

    with api.stream(session_id, "[[say words=12]] Stream this") as events:
        seen = list(events)

    names = [event.name for event in seen]
    assert names == ["accepted", *["delta"] * (len(names) - 2), "end"]
    assert text_of(seen) == answer("Stream this", words=12)
    user, assistant = api.messages(session_id)
    assert seen[0].data["user_message_id"] == user["id"]
    assert seen[0].data["assistant_message_id"] == assistant["id"]
    end = seen[-1].data
    assert (end["status"], end["assistant_message"]) == ("complete", assistant)
    assert end["user_message"] == user


def test_the_end_of_a_stream_is_the_turn_that_a_plain_call_gets(api: Api) -> None:
    session_id = api.begin()
    turn = api.say(session_id, "plain")

    with api.stream(session_id, "streamed") as events:
        end = list(events)[-1].data

    assert end.keys() == turn.keys()
    assert end["performance_info"].keys() == turn["performance_info"].keys()


def test_no_proxy_may_hold_a_stream_back(api: Api) -> None:
    answer = api.ask(api.begin(), "Hello", **STREAM)

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "no-cache" in answer.headers["cache-control"]


def test_ids_count_characters_and_not_bytes(api: Api) -> None:
    with api.stream(api.begin(), "[[utf8_split]]") as events:
        seen = list(events)

    assert text_of(seen) == MULTILINGUAL
    assert _offsets_are_characters(seen)
    assert [event.id for event in seen if event.name == "delta"][-1] == len(
        MULTILINGUAL
    )


def test_no_text_of_the_model_can_end_an_event(api: Api) -> None:
    hostile = "a\n\nevent: end\ndata: {}\n\nid: 7\r\n: b\u2028\x85c\x1c"

    with api.stream(api.begin(), f"[[echo]] {hostile}") as events:
        seen = list(events)

    assert text_of(seen) == hostile.replace("\r\n", "\n").strip()
    assert [event.name for event in seen].count("end") == 1


@pytest.mark.parametrize("is_other_worker", [True, False])
def test_a_reader_resumes_where_it_was_and_misses_nothing(
    workers: Workers, is_other_worker: bool
) -> None:
    here = workers[0]
    session_id = here.begin()
    slow = "[[say words=60 delay_ms=25]] Resume me"
    with (
        clients.on_worker(here.url, workers[is_other_worker].pid or 0) as there,
        here.stream(session_id, slow) as events,
    ):
        first = list(takewhile(lambda event: (event.id or 0) < 60, events))
        after = first[-1].id or 0

        with there.follow(session_id, after=after) as resumed:
            rest = list(resumed)

    whole = answer("Resume me", words=60)
    assert text_of(first) + text_of(rest) == whole
    assert _offsets_are_characters(rest, after=after)
    assert [rest[0].name, rest[-1].name] == ["accepted", "end"]


def test_all_readers_on_all_workers_read_the_same(workers: Workers) -> None:
    one, other = workers
    session_id = one.begin()
    text = "[[say words=60 delay_ms=25]] Read by many"

    def read(api: Api, after: int) -> list[Event]:
        with api.follow(session_id, after=after) as events:
            return list(events)

    with (
        clients.on_worker(one.url, one.pid or 0) as mate,
        clients.on_worker(one.url, other.pid or 0) as far_mate,
        ThreadPoolExecutor() as pool,
        one.stream(session_id, text) as events,
    ):
        next(events)
        starts = [(mate, 0), (other, 0), (far_mate, 40)]
        readings = [pool.submit(read, api, after) for api, after in starts]
        whole = text_of(list(events))

        for (_, after), reading in zip(starts, readings, strict=True):
            seen = reading.result()
            assert text_of(seen) == whole[after:]
            assert seen[-1].data["assistant_message"]["content"] == whole
    assert whole == answer("Read by many", words=60)


@pytest.mark.parametrize("place", ["-5", "zero", "1e3", "9" * 40, "٣"])
def test_a_place_that_makes_no_sense_is_the_beginning(api: Api, place: str) -> None:
    session_id = api.begin()
    with Api(api.url) as other, other.stream(session_id, "[[say words=20]]") as events:
        next(events)
        headers = {"Last-Event-ID": place.encode()}

        answered = api.call("GET", f"{session_id}/events", headers=headers)

    assert answered.status_code in {200, 204}


def test_a_place_behind_the_end_yields_only_the_end(api: Api) -> None:
    session_id = api.begin()
    with (
        Api(api.url) as other,
        Api(api.url) as stopping,
        other.stream(session_id, "[[drip delay_ms=30]]") as events,
    ):
        next(events)

        with api.follow(session_id, after=10**6) as resumed:
            seen = [next(resumed)]
            stopping.call("POST", f"{session_id}/stop")
            seen += resumed

    assert [event.name for event in seen] == ["accepted", "end"]


def test_nothing_is_to_be_followed_when_nothing_runs(api: Api) -> None:
    session_id = api.begin()
    before = api.call("GET", f"{session_id}/events")
    api.say(session_id, "Hello")
    after = api.call("GET", f"{session_id}/events")

    assert (before.status_code, before.content) == (204, b"")
    assert (after.status_code, after.content) == (204, b"")


@pytest.mark.parametrize("is_streaming", [True, False])
def test_an_answer_goes_on_when_its_reader_leaves(api: Api, is_streaming: bool) -> None:
    session_id = api.begin()
    text = "[[say words=30 delay_ms=30]] Go on"
    with Api(api.url) as leaving:
        if is_streaming:
            with leaving.stream(session_id, text) as events:
                next(events)
        else:
            leaving.http.timeout = httpx2.Timeout(0.3)
            with pytest.raises(httpx2.ReadTimeout):
                leaving.ask(session_id, text)

    def stored() -> str | None:
        newest = api.messages(session_id)[1]
        return newest["content"] if newest["status"] == "complete" else None

    assert clients.until(stored) == answer("Go on", words=30)


def test_a_failure_in_the_middle_is_an_error_event_with_the_text_so_far(
    api: Api,
) -> None:
    session_id = api.begin()

    with api.stream(session_id, "[[cut after=5]] Break off") as events:
        seen = list(events)

    error = seen[-1].data
    assert seen[-1].name == "error"
    assert error.keys() >= {"detail", "error_code", "timestamp", "path", "request_id"}
    assert error["error_code"] == "GEMINI_API_ERROR"
    assert error["assistant_message"]["content"] == text_of(seen)
    assert text_of(seen) == answer("Break off", words=5)
    assert api.messages(session_id)[1]["status"] == "interrupted"
