"""What a log line looks like, and what never stands in one."""

import json
import subprocess
import sys
from typing import Any

import pytest

from monitoring import logs
from tests.servers import ROOT

CANARY = "canary-of-a-key-0123456789"

_SET_UP = """
import logging, logging.config, sys, threading, warnings
import structlog
from monitoring import logs
logging.config.dictConfig(
    logs.config(level={level!r}, is_json={is_json}, secrets=[{secret!r}])
)
log = structlog.get_logger("ours")
secret = {secret!r}
"""


def _said(
    code: str, *, level: str = "INFO", is_json: bool = True, secret: str = CANARY
) -> str:
    """Return what code has logged in a process of its own."""
    set_up = _SET_UP.format(level=level, is_json=is_json, secret=secret)
    done = subprocess.run(
        [sys.executable, "-c", set_up + code],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stderr


def _lines(code: str, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _said(code, **options).splitlines()]


def test_in_production_every_line_is_json_ours_and_theirs() -> None:
    code = (
        "log.info('turn.ended', conversation=7)\n"
        "for name in ('django.request', 'celery.x', 'gunicorn.error', 'httpx2'):\n"
        "    logging.getLogger(name).warning('it is %s', 'late')\n"
    )

    ours, *theirs = _lines(code)

    assert ours["event"] == "turn.ended"
    assert ours["conversation"] == 7
    assert ours["pid"] > 0
    assert ours["timestamp"].endswith("Z")
    assert [line["event"] for line in theirs] == ["it is late"] * 4
    assert {line["level"] for line in theirs} == {"warning"}


def test_in_development_a_line_is_words() -> None:
    said = _said("log.info('turn.ended', conversation=7)", is_json=False)

    assert "turn.ended" in said
    assert "conversation=7" in said
    assert not said.startswith("{")


@pytest.mark.parametrize("is_json", [True, False])
@pytest.mark.parametrize(
    "code",
    [
        "log.info('the key is ' + secret)",
        "log.info('x', error=ValueError(secret))",
        "log.info('x', given={'deep': [{'deeper': (secret, secret.encode())}]})",
        "logging.getLogger('google_genai').warning('asked with %s', secret)",
        "logging.getLogger('celery').error('%r', {'key': secret})",
        "logging.getLogger('httpx2').error('x', exc_info=ValueError(secret))",
        "logging.getLogger('django').error('%d tasks', secret)",
        "log.info(secret, cause=secret, **{secret: 1})",
        "logs.catch_strays(); raise ValueError(secret)",
        "logs.catch_strays(); warnings.warn(secret)",
        "logs.catch_strays()\n"
        "def fail(): raise ValueError(secret)\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()",
        "try:\n"
        "    try: int(secret)\n"
        "    except ValueError as error: raise RuntimeError('outer') from error\n"
        "except RuntimeError: log.exception('job.failed')",
    ],
)
def test_a_secret_is_in_no_line_however_it_got_there(code: str, is_json: bool) -> None:
    said = _said(code, is_json=is_json)

    assert said
    assert CANARY not in said
    assert is_json is False or all(json.loads(line) for line in said.splitlines())


def test_a_line_that_cannot_be_formatted_says_where_it_is_from() -> None:
    (line,) = _lines("logging.getLogger('django').error('%d tasks', secret)")

    assert line["logger"] == "django"
    assert line["event"].endswith("can't be written: TypeError")


def test_an_exception_keeps_its_traceback() -> None:
    code = "try: 1 / 0\nexcept ZeroDivisionError: log.exception('job.failed')"

    (line,) = _lines(code)

    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize("level", logs.LEVELS)
def test_a_level_can_be_changed_while_the_process_runs(level: str) -> None:
    code = (
        f"logs.set_level({level!r})\n"
        "names = ('ours', 'django.request', 'django.db.backends', 'celery', 'httpx2',\n"
        "         'apprise', 'urllib3.connectionpool')\n"
        "for name in names:\n"
        "    logger = logging.getLogger(name)\n"
        "    for level in logs.LEVELS: logger.log(getattr(logging, level), level)\n"
        "for level in logs.LEVELS: getattr(log, level.lower())('of structlog')\n"
        "print(logs.level(), file=sys.stderr)"
    )

    *said, holds = _said(code, level="INFO").splitlines()

    lines = [json.loads(line) for line in said]
    held = logs.LEVELS[logs.LEVELS.index(level) :]
    for name, quietest in (
        *(("ours", 0), ("django.request", 0), ("django.db.backends", 1)),
        *(("celery", 2), ("httpx2", 2), ("apprise", 2), ("urllib3.connectionpool", 2)),
    ):
        written = [each["event"] for each in lines if each["logger"] == name]
        expected = [each for each in held if logs.LEVELS.index(each) >= quietest]
        assert [each for each in written if each != "of structlog"] == expected, name
    assert len([each for each in lines if each["event"] == "of structlog"]) == len(held)
    assert holds == level
