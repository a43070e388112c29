"""Turns what Gemini reports, and how its connection breaks, into our errors."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from chat import errors

MAX_RETRY_AFTER_S = 86_400.0
_MAX_CAUSE_CHARS = 300
_MIN_SECRET_CHARS = 8  # the local server takes any key, so a word of the text
_KEY_SHAPES = re.compile(r"AIza[\w-]{10,}|(?<=key=)[^&\s\"']+")


class Reported(Exception):
    """An error object that arrived inside a stream; attributes like the SDK's."""

    def __init__(self, code: int | None, details: Any) -> None:
        self.code = code
        self.details = details
        super().__init__(code)


def translated(
    error: Exception, *, has_begun: bool, secret: str, now: datetime
) -> errors.GeminiError:
    """Return our error for what the SDK or its transport raised.

    An httpx2.HTTPError, also as the cause of an APIConnectionError, or a ValueError
    tells of a broken connection or body; for all others see `reported`.
    """
    if isinstance(error.__cause__, httpx2.RequestError):
        error = error.__cause__
    if isinstance(error, httpx2.HTTPError | ValueError):
        return _broken(error, has_begun=has_begun, secret=secret)
    status, body = reported(error)
    return error_from(
        status,
        body,
        headers=getattr(getattr(error, "response", None), "headers", {}),
        secret=secret,
        now=now,
    )


def reported(error: Exception) -> tuple[int | None, Any]:
    """Return status and body of an APIError, of whichever of the SDK's two trees.

    One has `code` and `details`, that of its interactions `status_code` and `body`.
    """
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return status, getattr(error, "body", None) or getattr(error, "details", None)


def message(body: Any) -> str:
    """Return what an error body says, without its wrapping."""
    return str(_reported(body).get("message"))


def error_from(
    status: int | None,
    body: Any,
    *,
    headers: Mapping[str, str],
    secret: str,
    now: datetime,
) -> errors.GeminiError:
    """Return our error for a status and an error body in Google's shape.

    `body` may be anything: a portal's page arrives as `{"message": …}`. A status of
    None (an error object without a code) counts as an unreadable answer.
    """
    reported = _reported(body)
    upstream = cause(
        f"{status} {reported.get('status')}: {reported.get('message')}", secret=secret
    )
    wait_s = told_wait_s(reported, headers=headers, now=now)
    if status == 429:
        return _busy(wait_s, upstream)
    if status == 408 or (status is not None and 500 <= status < 600):
        return errors.GeminiUnavailable(
            "The model's service has a problem at the moment. Try again in a moment.",
            reason=f"http_{status}",
            upstream=upstream,
            retry_after_s=wait_s,
        )
    if status in {401, 403} or (status == 400 and _is_about_the_key(reported)):
        reason = "permission_denied" if status == 403 else "wrong_key"
        return errors.GeminiRefused(reason=reason, upstream=upstream)
    if status == 404:
        return errors.UnknownModel(upstream=upstream)
    if status is not None and 400 <= status < 500:
        return errors.GeminiRejected(upstream=upstream)
    return errors.GeminiError(upstream=upstream)


def told_wait_s(
    reported: Mapping[str, Any], *, headers: Mapping[str, str], now: datetime
) -> float | None:
    """Return the seconds that the upstream asks to wait; None: it doesn't say.

    Reads google.rpc.RetryInfo (`"retryDelay": "28.5s"`) and Retry-After (RFC 9110:
    seconds or a date), the longer of both, at most a day.
    """
    waits = [
        _seconds(str(detail.get("retryDelay", "")).removesuffix("s"), now=now)
        for detail in _details(reported)
        if str(detail.get("@type", "")).endswith("google.rpc.RetryInfo")
    ]
    waits.append(_seconds(headers.get("retry-after", ""), now=now))
    told = [wait for wait in waits if wait is not None]
    return min(max(told), MAX_RETRY_AFTER_S) if told else None


def cause(text: str, *, secret: str) -> str:
    """Return an upstream's words for the log: one short line without any key."""
    if len(secret) >= _MIN_SECRET_CHARS:
        text = text.replace(secret, "***")
    return " ".join(_KEY_SHAPES.sub("***", text).split())[:_MAX_CAUSE_CHARS]


def _broken(error: Exception, *, has_begun: bool, secret: str) -> errors.GeminiError:
    is_connection = isinstance(error, httpx2.TransportError)
    # Other errors quote the body, which is somebody's conversation.
    is_quotable = isinstance(error, httpx2.HTTPError) or type(error) is ValueError
    words = repr(error) if is_quotable else type(error).__name__
    upstream = cause(words, secret=secret)
    if has_begun:
        reason = "cut" if is_connection else "bad_chunk"
        return errors.AnswerCutShort(reason=reason, upstream=upstream)
    if not is_connection:
        return errors.GeminiError(upstream=upstream)
    connect = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol)
    reason = "connect" if isinstance(error, connect) else "reset"
    return errors.GeminiUnavailable(reason=reason, upstream=upstream)


def _busy(wait_s: float | None, upstream: str) -> errors.GeminiBusy:
    if wait_s is None:
        return errors.GeminiBusy(upstream=upstream)
    return errors.GeminiBusy(
        f"The model is busy: its rate limit is reached. Try again in {wait_s:.0f} s.",
        upstream=upstream,
        retry_after_s=wait_s,
    )


def _reported(body: Any) -> Mapping[str, Any]:
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    if not isinstance(body, dict):
        return {"message": str(body)}
    error = body.get("error")
    return error if isinstance(error, dict) else body


def _details(reported: Mapping[str, Any]) -> list[dict[str, Any]]:
    details = reported.get("details")
    if not isinstance(details, list):
        return []
    return [detail for detail in details if isinstance(detail, dict)]


def _is_about_the_key(reported: Mapping[str, Any]) -> bool:
    reasons = [str(detail.get("reason", "")) for detail in _details(reported)]
    return (
        any(reason.startswith("API_KEY") for reason in reasons)
        or "api key" in str(reported.get("message")).lower()
    )


def _seconds(value: str, *, now: datetime) -> float | None:
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((at - now).total_seconds(), 0.0) if at.tzinfo else None
