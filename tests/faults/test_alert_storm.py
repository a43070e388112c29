"""An alert storm from the first failed turn to the end message, over real servers."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import people, servers
from tests.faults import store
from tests.faults.api import Api
from tests.faults.conftest import NewSite
from tests.monitoring.channels import sinks

_SECRET = "a secret of the storm drill"
_FAILING, _GOOD = 60, 40
_PATIENCE_S = 150.0
# The rule looks at short windows, or the drill would take half an hour.
_SOON = """
from monitoring.models import AlertRule
rules = AlertRule.objects
rules.exclude(name="high-error-rate").update(is_enabled=False)
rules.filter(name="high-error-rate").update(window_s=40, for_s=0, keep_firing_s=0)
print("null")
"""


@pytest.fixture
def mail() -> Iterator[sinks.MailSink]:
    with sinks.mail() as sink:
        yield sink


@pytest.fixture
def hook() -> Iterator[sinks.WebSink]:
    with sinks.web() as sink:
        yield sink


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_people_hear_once_that_it_began_and_once_that_it_is_over(
    new_site: NewSite, mail: sinks.MailSink, hook: sinks.WebSink
) -> None:
    site = new_site(
        HEALTH_CHECK_INTERVAL="5",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=str(mail.port),
        EMAIL_USE_TLS="false",
        ALERT_EMAIL_TO="oncall@example.org",
        ALERT_WEBHOOK_URL=hook.url,
        ALERT_WEBHOOK_SECRET=_SECRET,
    )
    people.run(site, _SOON)
    client = Api(site.url, kept_connections=4)

    with servers.worker(site):
        async with client.http:
            began_at = time.monotonic()
            await _say(client, "[[blocked]] Not this", times=_FAILING)
            await _until(lambda: _told(hook, "firing"), site)
            fired_s = time.monotonic() - began_at
            await _say(client, "Good day [[say words=3]]", times=_GOOD)
            await _until(lambda: _told(hook, "resolved"), site)
            over_s = time.monotonic() - began_at
        await _until(lambda: len(mail.mails) == 2, site)

    print(f"told after {fired_s:.0f} s, over after {over_s:.0f} s")  # noqa: T201 - with pytest -s
    assert [_states(posted) for posted in hook.posted] == [["firing"], ["resolved"]]
    assert all(_is_signed(posted) for posted in hook.posted)
    assert [sent["To"] for sent in mail.mails] == ["oncall@example.org"] * 2
    assert "CRITICAL" in mail.mails[0]["Subject"]
    incidents = store.rows(site, "SELECT * FROM monitoring_incident")
    assert len(incidents) == 1
    assert _SECRET not in site.log()


async def _say(client: Api, text: str, *, times: int) -> None:
    """Say it so often, four at a time."""

    async def some() -> None:
        conversation_id = await client.begin()
        for _ in range(times // 4):
            await client.say(conversation_id, text)

    await asyncio.gather(*(some() for _ in range(4)))


async def _until(is_so: Callable[[], Any], site: servers.Site) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        worker_log = site.data_dir / "worker.log"
        assert time.monotonic() < deadline, worker_log.read_text("utf-8")[-3000:]
        await asyncio.sleep(0.2)


def _states(posted: sinks.Posted) -> list[str]:
    alerts = json.loads(posted.body)["data"]["alerts"]
    return [alert["state"] for alert in alerts]


def _told(hook: sinks.WebSink, state: str) -> bool:
    return any(state in _states(posted) for posted in hook.posted)


def _is_signed(posted: sinks.Posted) -> bool:
    """Check the signature as a receiver would."""
    headers = {name.lower(): value for name, value in posted.headers.items()}
    parts = dict(
        part.split("=", 1) for part in headers["x-oracle-signature"].split(",")
    )
    signed = parts["t"].encode() + b"." + posted.body
    digest = hmac.new(_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(digest, parts["v1"])
