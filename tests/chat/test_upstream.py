"""What Gemini's error bodies and broken connections become."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from chat import errors, upstream

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
SECRET = "AIzaSyNotARealKey1234567"


def retry_info(delay: str) -> dict[str, Any]:
    kind = "type.googleapis.com/google.rpc.RetryInfo"
    return {"error": {"details": [{"@type": kind, "retryDelay": delay}]}}


def error_from(status: int | None, body: Any, **headers: str) -> errors.GeminiError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return upstream.error_from(status, body, headers=named, secret=SECRET, now=NOW)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, errors.GeminiRejected, "rejected"),
        (401, errors.GeminiRefused, "wrong_key"),
        (403, errors.GeminiRefused, "permission_denied"),
        (404, errors.UnknownModel, "unknown_model"),
        (408, errors.GeminiUnavailable, "http_408"),
        (413, errors.GeminiRejected, "rejected"),
        (429, errors.GeminiBusy, "rate_limited"),
        (500, errors.GeminiUnavailable, "http_500"),
        (599, errors.GeminiUnavailable, "http_599"),
        (302, errors.GeminiError, "bad_response"),
        (204, errors.GeminiError, "bad_response"),
        (None, errors.GeminiError, "bad_response"),
    ],
)
@pytest.mark.parametrize(
    "body", [{}, [], None, "text", {"error": "text"}, {"error": 7}]
)
def test_the_status_decides_whatever_the_body_is(
    status: int | None, kind: type[errors.GeminiError], reason: str, body: Any
) -> None:
    error = error_from(status, body)

    assert type(error) is kind
    assert error.reason == reason


@pytest.mark.parametrize(
    "reported",
    [
        {"message": "API key not valid. Please pass a valid API key."},
        {"message": "Bad.", "details": [{"reason": "API_KEY_INVALID"}]},
        {"message": "Bad.", "details": [7, {"reason": "API_KEY_EXPIRED"}]},
    ],
)
def test_a_bad_request_about_the_key_is_a_refused_key(reported: dict[str, Any]) -> None:
    error = error_from(400, {"error": reported})

    assert isinstance(error, errors.GeminiRefused)
    assert error.reason == "wrong_key"


@pytest.mark.parametrize(
    ("body", "header", "wait_s"),
    [
        (retry_info("28s"), "", 28.0),
        (retry_info("28.5s"), "", 28.5),
        (retry_info("3s"), "9", 9.0),
        ({}, "9", 9.0),
        ({}, "Tue, 24 Nov 2026 12:00:40 GMT", 40.0),
        ({}, "Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ({}, "999999999", upstream.MAX_RETRY_AFTER_S),
        ([retry_info("5s")], "", 5.0),
    ],
)
def test_the_wait_that_was_told_is_passed_on(
    body: Any, header: str, wait_s: float
) -> None:
    assert error_from(429, body, retry_after=header).retry_after_s == wait_s


@pytest.mark.parametrize("told", ["", "soon", "-1s", "infs", "nans", "1e9s", "s"])
def test_a_senseless_wait_counts_as_none(told: str) -> None:
    assert (
        error_from(429, retry_info(told), retry_after=told).retry_after_s
        == errors.GeminiBusy.retry_after_s
    )
    assert error_from(503, retry_info(told)).retry_after_s is None


def test_the_cause_for_the_log_is_one_short_line_without_keys() -> None:
    message = f"GET /?key=abc123&x=1\n{SECRET} and AIzaSomebodyElsesKey " + "x" * 999

    error = error_from(500, {"error": {"status": "INTERNAL", "message": message}})

    assert error.upstream.startswith("500 INTERNAL: GET /?key=***&x=1 *** and *** xxx")
    assert len(error.upstream) <= 300
    assert message not in error.detail


def test_a_key_that_is_hardly_a_secret_does_not_blot_out_the_cause() -> None:
    assert upstream.cause("check the quota", secret="k") == "check the quota"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (httpx2.ConnectError("no"), "connect"),
        (httpx2.ConnectTimeout("no"), "connect"),
        (httpx2.UnsupportedProtocol("no"), "connect"),
        (httpx2.ReadError("no"), "reset"),
        (httpx2.RemoteProtocolError("no"), "reset"),
        (httpx2.PoolTimeout("no"), "reset"),
    ],
)
def test_a_connection_that_breaks_before_the_answer_may_work_again(
    broken: Exception, reason: str
) -> None:
    error = upstream.translated(broken, has_begun=False, secret=SECRET, now=NOW)

    assert isinstance(error, errors.GeminiUnavailable)
    assert error.reason == reason
    assert error.is_transient
    assert error.is_outage


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (httpx2.ReadError("no"), "cut"),
        (httpx2.DecodingError("no"), "bad_chunk"),
        (ValueError("no"), "bad_chunk"),
    ],
)
def test_an_answer_that_breaks_off_is_cut_short(broken: Exception, reason: str) -> None:
    error = upstream.translated(broken, has_begun=True, secret=SECRET, now=NOW)

    assert isinstance(error, errors.AnswerCutShort)
    assert error.reason == reason
    assert not error.is_transient


@pytest.mark.parametrize("broken", [httpx2.DecodingError("no"), ValueError("no")])
def test_a_body_that_cannot_be_read_is_no_outage(broken: Exception) -> None:
    error = upstream.translated(broken, has_begun=False, secret=SECRET, now=NOW)

    assert type(error) is errors.GeminiError
    assert not error.is_transient
    assert not error.is_outage
