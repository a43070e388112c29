"""Explicit caches, seen by Google's client."""

from datetime import UTC, datetime, timedelta

import pytest
from google import genai
from google.genai import errors, types

from chat.local_gemini.scripted import answer

from .conftest import MODEL
from .plain import call

LONG = "word " * 500


def create(client: genai.Client, ttl: str = "300s") -> types.CachedContent:
    """Make a cache of 502 tokens."""
    config = types.CreateCachedContentConfig(
        contents=[LONG], system_instruction="Be brief", ttl=ttl, display_name="notes"
    )
    return client.caches.create(model=MODEL, config=config)


def name_of(cache: types.CachedContent) -> str:
    """Return the name, which every cache has."""
    assert cache.name is not None
    return cache.name


def test_a_cache_is_made_found_listed_and_deleted(client: genai.Client) -> None:
    cache = create(client)
    name = name_of(cache)

    assert cache.usage_metadata is not None
    assert cache.usage_metadata.total_token_count == 502
    assert client.caches.get(name=name).display_name == "notes"
    assert name in [found.name for found in client.caches.list()]

    client.caches.delete(name=name)
    assert name not in [found.name for found in client.caches.list()]


def test_its_time_to_live_can_be_prolonged(beta: genai.Client) -> None:
    cache = create(beta)

    changed = beta.caches.update(
        name=name_of(cache), config=types.UpdateCachedContentConfig(ttl="7200s")
    )

    assert changed.expire_time is not None
    left = changed.expire_time - datetime.now(UTC)
    assert timedelta(minutes=119) < left <= timedelta(minutes=120)


def test_a_prompt_behind_a_cache_counts_it_as_cached(client: genai.Client) -> None:
    cache = create(client)

    response = client.models.generate_content(
        model=MODEL,
        contents="one more question",
        config=types.GenerateContentConfig(cached_content=cache.name),
    )

    assert response.text == answer("one more question")
    usage = response.usage_metadata
    assert usage is not None
    assert usage.prompt_token_count == 505
    assert usage.cached_content_token_count is not None
    assert usage.cached_content_token_count >= 502


def test_a_small_cache_is_refused(beta: genai.Client) -> None:
    config = types.CreateCachedContentConfig(contents=["too short"])

    with pytest.raises(errors.ClientError, match="Cached content is too small"):
        beta.caches.create(model=MODEL, config=config)


def test_an_expired_cache_is_gone(beta: genai.Client) -> None:
    cache = create(beta, ttl="0s")

    with pytest.raises(errors.ClientError) as caught:
        beta.models.generate_content(
            model=MODEL,
            contents="Hello",
            config=types.GenerateContentConfig(cached_content=cache.name),
        )

    assert caught.value.code == 403


def test_a_cache_belongs_to_one_model(beta: genai.Client) -> None:
    cache = create(beta)

    with pytest.raises(errors.ClientError, match="has to be the same"):
        beta.models.generate_content(
            model="gemini-2.5-pro",
            contents="Hello",
            config=types.GenerateContentConfig(cached_content=cache.name),
        )


def test_the_system_instruction_may_not_be_repeated(beta: genai.Client) -> None:
    cache = create(beta)

    with pytest.raises(errors.ClientError, match="can not be used"):
        beta.models.generate_content(
            model=MODEL,
            contents="Hello",
            config=types.GenerateContentConfig(
                cached_content=cache.name, system_instruction="again"
            ),
        )


@pytest.mark.parametrize("change", [{}, {"ttl": "soon"}, {"expireTime": "later"}])
def test_a_malformed_change_is_refused(
    beta: genai.Client, server: str, change: dict[str, str]
) -> None:
    cache = create(beta)

    status, body, _ = call("PATCH", f"{server}/v1/{cache.name}", change)

    assert status == 400
    assert body["error"]["status"] == "INVALID_ARGUMENT"
