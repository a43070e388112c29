"""Nothing is lost and no alert is told twice when the process that tells is killed."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flags.processes import migrated, on_postgresql
from tests.monitoring.channels import sinks
from tests.monitoring.channels.conftest import WEBHOOK_SECRET
from tests.servers import ROOT

_BEGIN = """
import json, os, signal, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from monitoring.channels import outbox, sending
from monitoring.models import Alert, Delivery

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)

def fire(count):
    Alert.objects.all().delete()
    Delivery.objects.all().delete()
    for number in range(count):
        Alert.objects.create(
            name=f"slow-{number}", severity="warning", summary="It is slow.",
            state="firing", began_at=NOW, fired_at=NOW)

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
"""
_LATER = "NOW + timedelta(minutes=2)"

Env = dict[str, str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def env(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Env]:
    """The environment of processes that share a database of their own."""
    folder = tmp_path_factory.mktemp("shared")
    if request.param == "sqlite":
        yield migrated(folder)
    else:
        with on_postgresql(folder) as found:
            yield found


def _start(env: Env, code: str) -> "subprocess.Popen[str]":
    shell = [sys.executable, "manage.py", "shell", "--no-imports", "-v", "0"]
    return subprocess.Popen(
        [*shell, "-c", _BEGIN + code],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _killed(env: Env, code: str) -> None:
    process = _start(env, code)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def _said(env: Env, code: str) -> object:
    process = _start(env, code)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return json.loads(text)


_DELIVERIES = """
print(json.dumps([
    [each.channel, each.state, each.text.count("- slow"), each.attempt_count]
    for each in Delivery.objects.order_by("pk")
]))
"""


def test_killed_between_the_alert_and_its_message(env: Env) -> None:
    _killed(env, f"fire(2)\noutbox.put = die\noutbox.announce({_LATER})")

    found = _said(
        env, f"outbox.announce({_LATER}); outbox.announce({_LATER})\n{_DELIVERIES}"
    )

    assert found == [["log", "waiting", 2, 0]]


def test_killed_between_sending_and_noting_it(env: Env) -> None:
    with sinks.web() as sink:
        webhook = {
            "ALERT_WEBHOOK_URL": sink.url,
            "ALERT_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
        env = env | webhook
        ready = f"fire(1)\noutbox.announce({_LATER})\nat = {_LATER}\n"
        ready += "Delivery.objects.filter(channel='log').delete()\n"
        ready += "Delivery.objects.update(due_at=at)\n"
        _killed(env, f"{ready}sending._record = die\nsending.deliver(at)")

        early = f"print(sending.deliver({_LATER} + timedelta(seconds=59)))"
        late = f"sending.deliver({_LATER} + timedelta(seconds=61))\n{_DELIVERIES}"
        assert _said(env, early) == 0
        assert _said(env, late) == [["webhook", "sent", 1, 2]]

    first, second = sink.posted
    assert first.headers["X-Oracle-Delivery"] == second.headers["X-Oracle-Delivery"]


def test_of_several_processes_one_tells(env: Env, tmp_path: Path) -> None:
    _said(env, "fire(200)\nprint(0)")
    start = tmp_path / "start"
    code = f"""
start = Path({str(start)!r})
print("ready", flush=True)
while not start.exists():
    time.sleep(0.001)
outbox.announce({_LATER})
"""
    processes = [_start(env, code) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    start.touch()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0

    found = _said(env, "print(json.dumps(Delivery.objects.count()))")

    assert found == 1
