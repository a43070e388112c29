"""Streams of interactions that break off and go on, to the character."""

import json
import time

import pytest

from chat import errors, interactions
from chat.local_gemini.prose import answer
from tests.chat.gemini_calls import (
    completed,
    created,
    hear,
    interaction,
    mark,
    model_at,
    playing,
    reply,
    requests_to,
    requests_with,
    spoken,
    streamed,
    told,
)

CUT = 64  # bytes that are announced and never sent
GONE = reply("404 Not Found", b"{}", "application/json", "Content-Length: 2")
DOWN = reply("503 Unavailable", b"{}", "application/json", "Content-Length: 2")
STORY = [
    created(),
    *(spoken(text) for text in ("Once ", "upon ", "a ", "time.")),
    completed(usage={"total_input_tokens": 2, "total_output_tokens": 4}),
]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tries, without waiting for long."""
    monkeypatch.setattr(interactions, "RESUME_PAUSES_S", (0.0, 0.0, 0.01))


def after(seen: int) -> bytes:
    """The rest of the story after this many events."""
    blank = created()
    return told(*[blank] * seen, *STORY[seen:]).split(told(*[blank] * seen))[-1]


@pytest.mark.parametrize("directive", ["cut", "cut_close"])
@pytest.mark.parametrize("seen", [0, 1, 3])
async def test_a_broken_stream_is_resumed_to_the_character(
    local_gemini: str, directive: str, seen: int
) -> None:
    word = mark()

    async with model_at(local_gemini) as model:
        heard = await hear(
            model,
            interaction(f"{word} [[{directive} after={seen} words=9 delay_ms=5]]"),
        )

    assert heard.text == answer(word, words=9)
    assert heard.completion.finish_reason == "STOP"
    assert heard.usage.output_tokens == 9
    assert len(await requests_with(local_gemini, word)) == 1
    [resumed] = await requests_to(local_gemini, heard.completion.interaction_id)
    assert resumed["method"] == "GET"
    assert resumed["query"]["stream"] == "true"
    assert resumed["query"]["last_event_id"].startswith("ev")


async def test_a_resumed_answer_can_be_gone_on_from(local_gemini: str) -> None:
    async with model_at(local_gemini) as model:
        first = await hear(model, interaction(f"{mark()} [[cut after=2]]"))
        second = await hear(
            model,
            interaction(
                "And?", previous_interaction_id=first.completion.interaction_id
            ),
        )

    assert second.text == answer("And?")


async def test_three_breaks_are_survived_and_a_fourth_is_not() -> None:
    whole = told(*STORY)
    parts = [
        streamed(whole[: whole.index(b"upon") + 40], missing_bytes=CUT),
        streamed(after(2)[:30], missing_bytes=CUT),
        DOWN,
        streamed(after(2)),
    ]

    async with playing(*parts) as upstream, model_at(upstream.url) as model:
        heard = await hear(model, interaction("Hello"))
        survived = upstream.requests
    async with (
        playing(*parts[:3], DOWN) as upstream,
        model_at(upstream.url, max_retries=2) as model,
    ):
        lost = await hear(model, interaction("Hello"))

        assert len(upstream.requests) == 4
    assert heard.text == "Once upon a time."
    assert heard.usage.output_tokens == 4
    assert [r.split()[0] for r in survived] == ["POST", "GET", "GET", "GET"]
    assert "last_event_id=e" in survived[1]
    assert type(lost.error) is errors.AnswerCutShort
    assert lost.error.reason == "cut"
    assert lost.error.interaction_id == "v1_played"
    assert "Once upon a time.".startswith(lost.text)
    assert lost.text


@pytest.mark.parametrize(("missing_bytes", "reason"), [(CUT, "cut"), (0, "early_end")])
async def test_what_cannot_be_resumed_is_cut_short_as_it_first_was(
    missing_bytes: int, reason: str
) -> None:
    begun = streamed(told(*STORY[:3]), missing_bytes=missing_bytes)

    async with (
        playing(begun, GONE) as upstream,
        model_at(upstream.url, max_retries=2) as model,
    ):
        heard = await hear(model, interaction("Hello"))

        assert len(upstream.requests) == 4
    assert type(heard.error) is errors.AnswerCutShort
    assert heard.error.reason == reason
    assert heard.text == "Once upon "


async def test_an_answer_that_never_ends_well_is_an_early_end(
    local_gemini: str,
) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=2) as model:
        heard = await hear(model, interaction(f"{word} [[early_end after=5]]"))

    assert type(heard.error) is errors.AnswerCutShort
    assert heard.error.reason == "early_end"
    assert heard.text == answer(word, words=5)
    resumed = await requests_to(local_gemini, heard.error.interaction_id)
    assert len(resumed) == 3


async def test_a_provider_that_starts_over_repeats_nothing() -> None:
    begun = streamed(told(*STORY[:4]), missing_bytes=CUT)

    async with (
        playing(begun, streamed(told(*STORY))) as upstream,
        model_at(upstream.url) as model,
    ):
        heard = await hear(model, interaction("Hello"))

    assert heard.text == "Once upon a time."


async def test_text_without_an_event_id_is_not_resumed() -> None:
    body = told(json.dumps(created()), json.dumps(spoken("Once ")))

    async with (
        playing(streamed(body, missing_bytes=CUT)) as upstream,
        model_at(upstream.url) as model,
    ):
        heard = await hear(model, interaction("Hello"))

        assert len(upstream.requests) == 1
    assert isinstance(heard.error, errors.AnswerCutShort)
    assert heard.text == "Once "


async def test_a_break_after_the_end_spoils_nothing_and_is_not_resumed() -> None:
    body = told(*STORY) + b"data: {"

    async with (
        playing(streamed(body, missing_bytes=CUT)) as upstream,
        model_at(upstream.url) as model,
    ):
        heard = await hear(model, interaction("Hello"))

        assert len(upstream.requests) == 1
    assert heard.text == "Once upon a time."
    assert heard.completion.finish_reason == "STOP"


async def test_an_error_event_is_final() -> None:
    error = {"event_type": "error", "error": {"code": "internal", "message": "odd"}}

    async with (
        playing(streamed(told(*STORY[:2], error))) as upstream,
        model_at(upstream.url) as model,
    ):
        heard = await hear(model, interaction("Hello"))

        assert len(upstream.requests) == 1
    assert isinstance(heard.error, errors.GeminiUnavailable)
    assert heard.error.reason == "http_500"
    assert heard.text == "Once "


async def test_resuming_extends_no_deadline() -> None:
    begun = streamed(told(*STORY[:2]), missing_bytes=CUT)
    started_s = time.monotonic()

    async with (
        playing(begun, b"") as upstream,
        model_at(upstream.url, idle_deadline_s=0.4) as model,
    ):
        heard = await hear(model, interaction("Hello"))

    assert isinstance(heard.error, errors.GeminiTimeout)
    assert heard.error.reason == "idle_deadline"
    assert time.monotonic() - started_s < 5


async def test_a_break_before_the_first_word_that_stays_is_tried_again() -> None:
    silent = streamed(told(*STORY[:1]), missing_bytes=CUT)
    whole = streamed(told(*STORY))

    async with (
        playing(silent, GONE, GONE, GONE, whole) as upstream,
        model_at(upstream.url, max_retries=1) as model,
    ):
        heard = await hear(model, interaction("Hello"))

        assert [r.split()[0] for r in upstream.requests] == [
            *("POST", "GET", "GET", "GET", "POST")
        ]
    assert heard.text == "Once upon a time."
