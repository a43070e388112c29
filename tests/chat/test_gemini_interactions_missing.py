"""What the provider lacks or is told to forget: interactions, models, the whole API."""

import pytest

from chat import errors
from chat.completion import Prompt
from chat.local_gemini.prose import answer
from tests import servers
from tests.chat.gemini_calls import (
    hear,
    interaction,
    model_at,
    playing,
    reply,
    requests_to,
)


@pytest.mark.parametrize("model_name", ["unknown-model", "models/unknown-model"])
@pytest.mark.parametrize("previous", [None, "known"])
async def test_an_unknown_model_stays_an_unknown_model(
    local_gemini: str, model_name: str, previous: str | None
) -> None:
    async with model_at(local_gemini) as model:
        if previous:
            first = await hear(model, interaction("Hello"))
            previous = first.completion.interaction_id
        asked = interaction("Hello", previous_interaction_id=previous)
        contents = asked.contents
        heard = await hear(
            model,
            Prompt(
                model_name,
                contents,
                is_interaction=True,
                previous_interaction_id=previous,
            ),
        )

    assert type(heard.error) is errors.UnknownModel


@pytest.mark.parametrize("previous", ["v1_unknown", "deleted"])
async def test_what_the_provider_has_forgotten_is_said_before_the_first_word(
    local_gemini: str, previous: str
) -> None:
    async with model_at(local_gemini, max_retries=2, breaker_failures=1) as model:
        if previous == "deleted":
            first = await hear(model, interaction("Hello"))
            previous = first.completion.interaction_id or ""
            await model.delete_interaction(previous)
        heard = await hear(
            model, interaction("Go on", previous_interaction_id=previous)
        )

        assert type(heard.error) is errors.InteractionForgotten
        assert heard.pieces == []
        assert model.breaker.state == "closed"


@pytest.mark.parametrize("previous", [None, "v1_old"])
async def test_a_server_without_the_api_is_told_from_an_unknown_model(
    previous: str | None,
) -> None:
    with servers.local_gemini("--no-interactions") as url:
        async with model_at(url, max_retries=2, breaker_failures=1) as model:
            heard = await hear(
                model, interaction("Hello", previous_interaction_id=previous)
            )
            plain = await hear(model, "Hello")

            assert model.breaker.state == "closed"

    assert type(heard.error) is errors.InteractionsUnsupported
    assert plain.text == answer("Hello")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("404 Not Found", b"<!DOCTYPE html><title>Error 404</title>", "text/html"),
        ("404 Not Found", b'{"detail":"Not Found"}', "application/json"),
        ("404 Not Found", b"404 page not found", "text/plain"),
        ("404 Not Found", b"", "text/plain"),
        ("405 Method Not Allowed", b'{"detail":"No"}', "application/json"),
        ("501 Not Implemented", b"Unsupported method", "text/html"),
    ],
)
async def test_any_server_that_lacks_the_address_lacks_the_api(
    status: str, body: bytes, kind: str
) -> None:
    played = reply(status, body, kind, f"Content-Length: {len(body)}")

    async with (
        playing(played) as upstream,
        model_at(upstream.url, max_retries=2) as model,
    ):
        heard = await hear(model, interaction("Hello", previous_interaction_id="v1_a"))

        assert len(upstream.requests) == 1
    assert type(heard.error) is errors.InteractionsUnsupported


async def test_a_deleted_interaction_is_gone_and_may_be_deleted_again(
    local_gemini: str,
) -> None:
    async with model_at(local_gemini) as model:
        heard = await hear(model, interaction("Hello"))
        kept = heard.completion.interaction_id
        assert kept
        await model.delete_interaction(kept)
        await model.delete_interaction(kept)
        again = await hear(model, interaction("And?", previous_interaction_id=kept))

    assert isinstance(again.error, errors.InteractionForgotten)
    requests = await requests_to(local_gemini, kept)
    assert [request["method"] for request in requests] == ["DELETE", "DELETE"]


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        ("500 Internal Server Error", "application/json", errors.GeminiUnavailable),
        ("429 Too Many Requests", "application/json", errors.GeminiBusy),
        ("403 Forbidden", "application/json", errors.GeminiRefused),
        ("200 OK", "text/html", errors.GeminiError),
    ],
)
async def test_a_deletion_that_fails_says_so_without_the_key(
    status: str, kind: str, error: type[errors.GeminiError]
) -> None:
    body = b'{"error": {"message": "AIzaSyTheVerySecretKey", "code": "odd"}}'
    played = reply(status, body, kind, f"Content-Length: {len(body)}")

    async with (
        playing(played) as upstream,
        model_at(upstream.url, api_key="AIzaSyTheVerySecretKey") as model,
    ):
        with pytest.raises(errors.GeminiError) as raised:
            await model.delete_interaction("v1_a")

        assert len(upstream.requests) == 1
    assert type(raised.value) is error
    assert "Secret" not in raised.value.upstream + raised.value.detail
    assert raised.value.__cause__ is None


async def test_a_deletion_needs_a_key_and_an_answer_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with playing(b"") as upstream, model_at(upstream.url) as model:
        monkeypatch.setattr("chat.interactions.DELETION_TIMEOUT_S", 0.1)
        with pytest.raises(errors.GeminiTimeout):
            await model.delete_interaction("v1_a")
    async with model_at("http://127.0.0.1:9", api_key="") as model:
        with pytest.raises(errors.GeminiRefused):
            await model.delete_interaction("v1_a")
