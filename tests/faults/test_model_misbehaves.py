"""Whatever the model does, a turn ends in time, named, and with its text kept."""

import time
from collections.abc import Iterator

import httpx2
import pytest

from chat.local_gemini.prose import MARKDOWN, MULTILINGUAL, long_text
from chat.local_gemini.scripted import answer
from tests import clients, servers
from tests.clients import Api, text_of

_FIRST_TEXT_S, _IDLE_S, _TOTAL_S = 1.5, 1.0, 3.0
_MARGIN_S = 3.0
_MAX_ANSWER_CHARS = 400_000

# directive, HTTP status, error code, the answer's status, words kept
_BROKEN = [
    ("status code=400", 502, "GEMINI_API_ERROR", "failed", 0),
    ("status code=401", 502, "GEMINI_API_ERROR", "failed", 0),
    ("status code=403", 502, "GEMINI_API_ERROR", "failed", 0),
    ("status code=404", 502, "GEMINI_API_ERROR", "failed", 0),
    ("status code=429", 429, "RATE_LIMITED", "failed", 0),
    ("status code=429 retry_s=7", 429, "RATE_LIMITED", "failed", 0),
    ("status code=500", 502, "GEMINI_API_ERROR", "failed", 0),
    ("status code=503", 502, "GEMINI_API_ERROR", "failed", 0),
    ("status code=504", 502, "GEMINI_API_ERROR", "failed", 0),
    ("reset", 502, "GEMINI_API_ERROR", "failed", 0),
    ("hang", 504, "GEMINI_TIMEOUT", "failed", 0),
    ("say first_ms=9000", 504, "GEMINI_TIMEOUT", "failed", 0),
    ("stall after=5", 504, "GEMINI_TIMEOUT", "interrupted", 5),
    ("stall after=0", 504, "GEMINI_TIMEOUT", "failed", 0),
    ("early_end after=5", 502, "GEMINI_API_ERROR", "interrupted", 5),
    ("early_end after=0", 502, "GEMINI_API_ERROR", "failed", 0),
    ("cut after=5", 502, "GEMINI_API_ERROR", "interrupted", 5),
    ("cut after=0", 502, "GEMINI_API_ERROR", "failed", 0),
    ("cut_close after=5", 502, "GEMINI_API_ERROR", "interrupted", 5),
    ("bad_json after=5", 502, "GEMINI_API_ERROR", "interrupted", 5),
    ("bad_json after=0", 502, "GEMINI_API_ERROR", "failed", 0),
    ("error_mid after=5 code=500", 502, "GEMINI_API_ERROR", "interrupted", 5),
    ("error_mid after=5 code=429", 429, "RATE_LIMITED", "interrupted", 5),
    ("html", 502, "GEMINI_API_ERROR", "failed", 0),
    ("wrong_ct", 502, "GEMINI_API_ERROR", "failed", 0),
    ("bad_gzip", 502, "GEMINI_API_ERROR", "failed", 0),
    ("blocked", 422, "RESPONSE_BLOCKED", "blocked", 0),
    ("safety after=5", 422, "RESPONSE_BLOCKED", "blocked", 5),
    ("recitation after=5", 422, "RESPONSE_BLOCKED", "blocked", 5),
    ("finish reason=SPII after=5", 422, "RESPONSE_BLOCKED", "blocked", 5),
    ("finish reason=OTHER after=5", 502, "GEMINI_API_ERROR", "interrupted", 5),
    ("finish reason=NEVER_SEEN after=5", 502, "GEMINI_API_ERROR", "interrupted", 5),
    ("empty_candidates", 502, "GEMINI_API_ERROR", "failed", 0),
    ("no_candidates", 502, "GEMINI_API_ERROR", "failed", 0),
    ("empty_text", 502, "GEMINI_API_ERROR", "failed", 0),
    ("null_text", 502, "GEMINI_API_ERROR", "failed", 0),
    ("thought_only", 502, "GEMINI_API_ERROR", "failed", 0),
]
_ODD = [
    ("thoughts words=5", answer("Odd")),
    ("utf8_split", MULTILINGUAL),
    ("markdown", MARKDOWN),
    ("dup_chunks", None),
]


@pytest.fixture(scope="module")
def hurried_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site that waits for the model only seconds and never gives up on it."""
    with servers.site(
        tmp_path_factory.mktemp("hurried"),
        gemini_url=local_gemini,
        workers=1,
        GEMINI_FIRST_TEXT_DEADLINE_S=str(_FIRST_TEXT_S),
        GEMINI_IDLE_DEADLINE_S=str(_IDLE_S),
        GEMINI_TOTAL_DEADLINE_S=str(_TOTAL_S),
        GEMINI_MAX_RETRIES="1",
        GEMINI_BREAKER_FAILURES="1000",
    ) as running:
        yield running


@pytest.fixture
def api(hurried_site: servers.Site) -> Iterator[Api]:
    with Api(hurried_site.url) as connection:
        yield connection


def _require_a_next_turn(api: Api, session_id: int) -> None:
    turn = api.say(session_id, "And now something else")
    assert turn["status"] == "complete"
    assert turn["assistant_message"]["content"] == answer("And now something else")


@pytest.mark.parametrize("case", _BROKEN, ids=lambda case: case[0])
def test_a_misbehaviour_ends_in_a_named_state_and_the_next_turn_works(
    api: Api, case: tuple[str, int, str, str, int]
) -> None:
    directive, status, code, state, words = case
    session_id = api.begin()
    text = f"[[{directive}]] Misbehave"
    began_at = time.monotonic()

    refused = api.ask(session_id, text)

    assert time.monotonic() - began_at < _FIRST_TEXT_S + _IDLE_S + _MARGIN_S
    error = refused.json()
    assert (refused.status_code, error["error_code"]) == (status, code)
    assert error["detail"]
    question, kept = api.messages(session_id)
    assert (question["content"], question["status"]) == (text, "complete")
    assert (kept["status"], error["status"]) == (state, state)
    assert kept["content"] == (answer("Misbehave", words=words) if words else "")
    assert error["assistant_message"] == kept
    _require_a_next_turn(api, session_id)


@pytest.mark.parametrize(
    "directive", ["cut after=5", "stall after=5", "status code=400", "blocked"]
)
def test_a_streaming_reader_is_told_the_same(api: Api, directive: str) -> None:
    session_id = api.begin()

    with api.stream(session_id, f"[[{directive}]] Misbehave") as events:
        seen = list(events)

    kept = api.messages(session_id)[1]
    assert seen[-1].name == "error"
    assert seen[-1].data["assistant_message"] == kept
    assert text_of(seen) == kept["content"]


def test_a_drip_ends_at_the_total_deadline_with_all_that_came(api: Api) -> None:
    session_id = api.begin()
    began_at = time.monotonic()

    refused = api.ask(session_id, "[[drip delay_ms=100]] Slowly")

    assert _TOTAL_S <= time.monotonic() - began_at < _TOTAL_S + _MARGIN_S
    assert (refused.status_code, refused.json()["error_code"]) == (
        504,
        "GEMINI_TIMEOUT",
    )
    kept = api.messages(session_id)[1]
    assert kept["status"] == "interrupted"
    assert len(kept["content"].split()) > 5
    assert answer("Slowly", words=100).startswith(kept["content"])
    _require_a_next_turn(api, session_id)


def test_an_endless_answer_is_cut_at_the_limit_and_says_so(api: Api) -> None:
    session_id = api.begin()

    turn = api.say(session_id, "[[huge chars=1600000]]")

    assert (turn["status"], turn["finish_reason"]) == (
        "interrupted",
        "MAX_ANSWER_CHARS",
    )
    content = api.messages(session_id)[1]["content"]
    assert _MAX_ANSWER_CHARS < len(content) <= _MAX_ANSWER_CHARS + 4000
    assert long_text(1_600_000).startswith(content)
    _require_a_next_turn(api, session_id)


@pytest.mark.parametrize(("directive", "content"), _ODD)
def test_what_is_only_odd_is_a_complete_answer(
    api: Api, directive: str, content: str | None
) -> None:
    turn = api.say(api.begin(), f"[[{directive}]] Odd")

    assert turn["status"] == "complete"
    if content is not None:
        assert turn["assistant_message"]["content"] == content


@pytest.mark.parametrize(
    ("directive", "calls"),
    [
        ("status code=400", 1),
        ("status code=403", 1),
        ("status code=429 retry_s=7", 1),
        ("status code=503", 2),
        ("reset", 2),
        ("cut after=5", 1),
        ("empty_text", 1),
    ],
)
def test_only_what_may_pass_is_tried_again_and_never_after_the_first_word(
    api: Api, local_gemini: str, directive: str, calls: int
) -> None:
    marker = f"tries-{time.monotonic_ns()}"

    api.ask(api.begin(), f"[[{directive}]] {marker}")

    assert len(clients.requests(local_gemini, marker)) == calls


def test_a_busy_model_is_asked_again_when_it_said_it_would_be_free(
    api: Api, local_gemini: str
) -> None:
    marker = f"busy-{time.monotonic_ns()}"
    began_at = time.monotonic()

    turn = api.say(
        api.begin(), f"[[status code=429 retry_s=1 times=1 key={marker}]] {marker}"
    )

    assert turn["status"] == "complete"
    assert time.monotonic() - began_at >= 1
    assert len(clients.requests(local_gemini, marker)) == 2


def test_a_busy_model_is_passed_on_with_its_time(api: Api) -> None:
    refused = api.ask(api.begin(), "[[status code=429 retry_s=7]]")

    assert refused.headers["retry-after"] == "7"
    assert refused.json()["retry_after_s"] == 7
    assert "7 s" in refused.json()["detail"]


def test_no_reader_of_an_error_sees_the_models_own_words(api: Api) -> None:
    for code in (400, 403, 404, 500):
        refused = api.ask(api.begin(), f"[[status code={code}]]")

        for word in ("Request contains", "caller", "Requested entity", "internal"):
            assert word not in refused.text


def test_a_site_that_had_all_this_is_well(hurried_site: servers.Site, api: Api) -> None:
    for directive, *_ in _BROKEN[::6]:
        api.ask(api.begin(), f"[[{directive}]]")

    services = httpx2.get(f"{hurried_site.url}/health").json()["services"]
    assert services["gemini_api"] == "configured"
    assert services["database"] == "connected"
    assert api.say(api.begin(), "Well?")["status"] == "complete"
