"""Requests by route, as the middleware counts them."""

import asyncio
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import resolve

from monitoring import pending, series
from monitoring.middleware import Traffic


@pytest.fixture(autouse=True)
def _nothing_waits() -> Iterator[None]:
    pending.take(is_counting=True)
    yield
    pending.take(is_counting=True)


def _requests() -> list[tuple[str, str, str]]:
    """Return route, method and status of what was counted."""
    parts = [series.parsed(total) for total in pending.take(is_counting=True)]
    return [
        (part[1]["route"], part[1]["method"], part[1]["status"])
        for part in parts
        if part and part[0] == "oracle_http_requests_total"
    ]


async def _serve(request: HttpRequest, status: int = 200) -> None:
    async def answer(request: HttpRequest) -> HttpResponse:
        if status != 404:
            request.resolver_match = resolve(request.path)
        return HttpResponse(status=status)

    await Traffic(answer)(request)


async def test_a_route_is_its_pattern_and_not_an_address() -> None:
    await _serve(RequestFactory().get("/c/123456/"))

    assert _requests() == [("/c/<int:conversation_id>/", "GET", "2xx")]


async def test_what_no_pattern_matches_is_other() -> None:
    for number in range(3):
        await _serve(RequestFactory().get(f"/no/{number}"), status=404)

    assert _requests() == [("other", "GET", "4xx")]


async def test_an_invented_method_is_other() -> None:
    await _serve(RequestFactory().generic("BREW", "/health"), status=405)

    assert _requests() == [("/health", "other", "4xx")]


async def test_a_client_that_goes_away_is_counted_as_that() -> None:
    async def never(request: HttpRequest) -> HttpResponse:
        request.resolver_match = resolve(request.path)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Traffic(never)(RequestFactory().get("/health"))

    assert _requests() == [("/health", "GET", "aborted")]


async def test_nothing_is_worked_out_while_nothing_is_counted() -> None:
    pending.take(is_counting=False)

    await _serve(RequestFactory().get("/health"))

    assert pending.is_stirred()
    assert _requests() == []
