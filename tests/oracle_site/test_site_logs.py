"""The lines of a whole site in production: web processes, a worker, and its beat."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests import clients, servers
from tests.chat import persistent
from tests.clients import until
from tests.faults.workers import Deployment

KEY = "canary-key-of-the-model-0123456789"
SECRET = secrets.token_urlsafe(50)
WORDS = "canary words that a person wrote"
_LEVEL_S = 15.0
_TROUBLE = ("echo", "blocked", "cut after=5", "status code=400", "status code=503")


@pytest.fixture(scope="module")
def site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site in production at the level that says most."""
    with persistent.site(
        tmp_path_factory.mktemp("logs"),
        gemini_url=local_gemini,
        workers=2,
        ENVIRONMENT="production",
        LOG_LEVEL="DEBUG",
        SECRET_KEY=SECRET,
        GEMINI_API_KEY=KEY,
        ALLOWED_HOSTS="127.0.0.1",
        USE_HTTPS="false",
        ORACLE_LOCAL_OWNER="true",
        MONITORING_TRUSTED_ADDRESSES="loopback",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def worker(site: servers.Site) -> Iterator[Deployment]:
    """A worker of the same site."""
    as_in_procfile = {"PYTHONWARNINGS": "ignore:You're running the worker"}
    running = Deployment(site.data_dir, site.env | as_in_procfile)
    try:
        running.celery("-q", "worker", "-B", "-c", "2")
        yield running
    finally:
        running.end()


@pytest.fixture
def level(site: servers.Site) -> Iterator[Any]:
    """Change the level as an operator does; put it back at the end."""

    def change(wanted: str) -> None:
        persistent.change(site, LOG_LEVEL=wanted)

    yield change
    change("DEBUG")


def _lines(text: str) -> list[dict[str, Any]]:
    """Read what has been said; a last line may still be on its way."""
    return [
        json.loads(line) for line in text.splitlines(keepends=True) if line[-1] == "\n"
    ]


def _of(text: str, **wanted: Any) -> list[dict[str, Any]]:
    """Return the lines that say all this."""
    return [line for line in _lines(text) if wanted.items() <= line.items()]


def _levels(site: servers.Site) -> set[str]:
    """Ask each web process for the level that holds."""
    found = set()
    for pid in site.worker_pids():
        with clients.on_worker(site.url, pid) as api:
            said = api.http.get("/api/v1/monitoring/health/detailed").json()
            found.add(said["environment"]["log_level"])
    return found


def _speak(worker: Deployment, word: str, request_id: str = "") -> None:
    """Queue a task while a request of this id, if any, is being answered."""
    known = {"request_id": request_id} if request_id else {}
    worker.python(
        "import structlog\n"
        "from tests.faults.trial_app import app\n"
        f"with structlog.contextvars.bound_contextvars(**{known!r}):\n"
        f"    app.tasks['trial.speak'].delay(word={word!r})"
    )


def _spoken(worker: Deployment, word: str) -> list[dict[str, Any]]:
    """Wait for the task's last line; return all it said."""
    wanted = {"event": "trial.spoke", "word": word}
    until(lambda: _of(worker.log(), **wanted, level="error"), within_s=30)
    return _of(worker.log(), **wanted)


@pytest.mark.parametrize("given", ["asked-by-a-proxy-1", ""])
def test_the_id_of_a_request_is_in_its_answer_and_its_turns_lines(
    site: servers.Site, given: str
) -> None:
    headers = {"X-Request-ID": given} if given else {}
    with clients.Api(site.url) as api:
        session_id = api.begin()

        answer = api.ask(session_id, "Hello", **headers)
        failed = api.ask(session_id, "[[status code=500]] Hello", **headers)

    known_as = answer.headers["X-Request-ID"]
    assert known_as == given or (not given and len(known_as) == 32)
    for event in ("generation.ended", "session.created"):
        (line,) = _of(site.log(), event=event, request_id=known_as)[:1]
        assert line["level"] == "info"
    broken = failed.headers["X-Request-ID"]
    warned = _of(site.log(), logger="chat.attempts", request_id=broken)
    assert warned[0]["level"] == "warning"


def test_an_answer_is_logged_with_its_length_only(site: servers.Site) -> None:
    with clients.Api(site.url, X_Request_ID="length-only") as api:
        said = api.say(api.begin(), WORDS)

    (line,) = _of(site.log(), event="generation.ended", request_id="length-only")
    assert line["length_chars"] == len(said["assistant_message"]["content"])
    assert line["status"] == "complete"
    assert line["duration_ms"] >= 0


def test_the_id_of_a_request_is_in_the_lines_of_the_tasks_it_sent(
    worker: Deployment,
) -> None:
    _speak(worker, "sent", request_id="asked-for-a-task")
    _speak(worker, "alone")

    for line in _spoken(worker, "sent"):
        assert line["request_id"] == "asked-for-a-task"
        assert line["task"] == "trial.speak"
    for line in _spoken(worker, "alone"):
        assert "request_id" not in line
        assert line["task_id"]


def test_a_changed_level_is_followed_by_every_process_without_a_restart(
    site: servers.Site, worker: Deployment, level: Any
) -> None:
    assert _levels(site) == {"DEBUG"}

    level("ERROR")
    until(lambda: _levels(site) == {"ERROR"}, within_s=_LEVEL_S)
    until(lambda: _is_quiet(worker), within_s=_LEVEL_S)
    with clients.Api(site.url, X_Request_ID="while-quiet") as api:
        api.say(api.begin(), "Hello")
    assert _of(site.log(), request_id="while-quiet") == []

    level("INFO")
    until(lambda: _levels(site) == {"INFO"}, within_s=_LEVEL_S)
    until(lambda: not _is_quiet(worker), within_s=_LEVEL_S)
    with clients.Api(site.url, X_Request_ID="while-talking") as api:
        api.say(api.begin(), "Hello")
    assert _of(site.log(), request_id="while-talking")


def _is_quiet(worker: Deployment) -> bool:
    """Tell whether a task's information is left out by now."""
    word = secrets.token_hex(4)
    _speak(worker, word)
    return {line["level"] for line in _spoken(worker, word)} == {"error"}


def test_neither_keys_nor_words_are_in_any_line_and_every_line_is_json(
    site: servers.Site, worker: Deployment
) -> None:
    with clients.Api(site.url, X_Request_ID="canary") as api:
        session_id = api.begin()
        for text in (WORDS, *(f"[[{trouble}]] {WORDS}" for trouble in _TROUBLE)):
            api.ask(session_id, text)
        api.http.get(f"/nowhere?key={KEY}&text={WORDS}")
        api.call("POST", f"{session_id}/chat", json={"message": {"text": WORDS}})
        api.call("POST", f"{session_id}/chat", content=f"{{ {WORDS}".encode())
        api.call("DELETE", str(session_id))
    httpx2.get(site.url, headers={"Cookie": f"sessionid={KEY}", "Host": "elsewhere"})
    _speak(worker, f"the key is {KEY}")
    until(lambda: _of(worker.log(), word="the key is [redacted]"), within_s=30)

    for text in (site.log(), worker.log()):
        assert _lines(text)
        for hidden in (KEY, SECRET, WORDS, WORDS.replace(" ", "%20")):
            assert hidden not in text


def test_gunicorns_own_words_are_lines_like_all_others(site: servers.Site) -> None:
    listening = _of(site.log(), logger="gunicorn.error", pid=site.master.pid)

    assert listening[0]["level"] == "info"
