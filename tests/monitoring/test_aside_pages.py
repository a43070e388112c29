"""Pages that hold up nobody, and wait for nobody for long."""

import threading
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from monitoring import aside_pages, asides

STAFF = User(pk=1, username="vera", is_staff=True, is_active=True, is_superuser=True)


def _request(user: Any = STAFF) -> HttpRequest:
    request = RequestFactory().get("/admin/page/")
    request.user = user
    return request


def _page(view: aside_pages.View, *, may: bool = True) -> aside_pages.AsyncView:
    return aside_pages.page(admin.site, view, may=lambda _: may)


def _thread(_: HttpRequest) -> HttpResponse:
    return HttpResponse(threading.current_thread().name)


async def test_it_is_made_on_a_thread_of_its_own_and_not_kept() -> None:
    response = await _page(_thread)(_request())

    assert response.content.startswith(b"oracle-monitoring")
    assert "no-store" in response["Cache-Control"]


async def test_strangers_are_sent_to_the_login() -> None:
    response = await _page(_thread)(_request(AnonymousUser()))

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


async def test_staff_without_the_right_are_refused() -> None:
    with pytest.raises(PermissionDenied):
        await _page(_thread, may=False)(_request())


async def test_a_page_that_takes_too_long_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asides, "PATIENCE_S", 0.05)
    done = threading.Event()

    def hang(_: HttpRequest) -> HttpResponse:
        done.wait(30)
        return HttpResponse()

    response = await _page(hang)(_request())
    done.set()

    assert response.status_code == 503
    assert "could not be read in time" in response.content.decode()


async def test_without_a_database_it_says_so() -> None:
    def fail(_: HttpRequest) -> HttpResponse:
        raise OperationalError("gone")

    response = await _page(fail)(_request())

    assert response.status_code == 503
