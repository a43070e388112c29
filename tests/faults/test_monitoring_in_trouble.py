"""Whatever happens to monitoring, people chat on and their answers stay whole."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from oracle_site.launcher.claims import free_port
from tests import clients, servers
from tests.faults import store, streams
from tests.faults.api import Api
from tests.monitoring.channels import sinks

_TEXT = "Anybody? [[say words=3]]"
_SOON_S = 3.0
_RULE = """
INSERT INTO monitoring_alertrule (name, summary, metric, label, window_s, comparison,
  threshold, min_samples, for_s, keep_firing_s, repeat_s, severity, switch, runbook,
  is_enabled)
VALUES (?, 'Odd.', ?, '', ?, 'above', ?, 0, 0, 0, 0, 'critical', '', '', 1)
"""
_PERIOD_S = 15  # of the job `monitoring.deliver`
_RUNS = """
SELECT slot FROM monitoring_jobrun
WHERE name = 'monitoring.deliver' AND slot NOT LIKE 'by-hand-%'
"""
_RAISE = """
from monitoring import notify
for number in range(10_000):
    notify.raise_alert("storm", severity="critical", summary="The same again")
"""


@pytest.fixture(scope="module")
def hanging_hook() -> Iterator[str]:
    with sinks.silent() as address:
        yield f"http://{address}/hook"


@pytest.fixture(scope="module")
def failing_hook() -> Iterator[str]:
    with sinks.web(sinks.saying(500)) as sink:
        yield sink.url


@pytest.fixture(scope="module")
def watched(
    local_gemini: str,
    hanging_hook: str,
    failing_hook: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[servers.Site]:
    """A site with two workers and their beats, whose alerts reach nobody."""
    with (
        servers.site(
            tmp_path_factory.mktemp("watched"),
            gemini_url=local_gemini,
            ALERT_WEBHOOK_URL=hanging_hook,
            ALERT_WEBHOOK_SECRET="a secret of the tests",
            ALERT_SLACK_URL=failing_hook,
            HEARTBEAT_URL=hanging_hook,
        ) as site,
        servers.worker(site),
        servers.worker(site),
    ):
        yield site


def _nobody_hears(site: servers.Site) -> None:
    """Raise an alert and try to deliver it, to one that hangs and one that fails."""
    site.manage("alerts", "raise", "critical", "Nobody hears this")
    _run(site, "evaluate_alerts", "deliver", "ping", "deliver")


def _the_same_ten_thousand_times(site: servers.Site) -> None:
    site.manage("shell", "--no-imports", "-v", "0", "-c", _RAISE)
    [row] = store.rows(
        site,
        "SELECT count(*) AS rows, sum(event_count) AS events FROM monitoring_alert"
        " WHERE name = 'storm'",
    )
    assert row == {"rows": 1, "events": 10_000}


def _odd_rules(site: servers.Site) -> None:
    """Have rules on a metric that nobody knows, an empty window and no number."""
    odd = (
        ("odd-metric", "no_such_metric", 300, 1.0),
        ("odd-window", "session_recovery_ratio", 300, -1.0),  # nobody has a session
        ("odd-threshold", "errors_per_hour", 300, 1e308),
    )
    for rule in odd:
        store.write(site, _RULE, *rule)
    _run(site, "evaluate_alerts")
    fired = store.rows(
        site, "SELECT name FROM monitoring_alert WHERE name LIKE 'odd-%'"
    )
    assert fired == []


def _the_clock_was_wrong(site: servers.Site) -> None:
    """Leave marks of a future that a clock set back has taken away."""
    store.write(
        site, "UPDATE monitoring_watch SET evaluated_at = '2031-01-01 00:00:00'"
    )
    store.write(site, "UPDATE monitoring_lease SET until = '2031-01-01 00:00:00'")
    _run(site, "evaluate_alerts", "record_points")


def _nothing_can_be_written(site: servers.Site) -> None:
    with store.locked(site):
        for _ in range(20):
            time.sleep(0.2)


def _all_jobs_at_once(site: servers.Site) -> None:
    _run(site, "check_health", "record_points", "check_performance", "purge_records")


def _run(site: servers.Site, *jobs: str) -> None:
    """Run jobs of monitoring, one after the other in one process."""
    code = f"from monitoring import jobs\nfor job in {jobs!r}: jobs.registered()"
    code += " and jobs.run(f'monitoring.{job}')"
    site.manage("shell", "--no-imports", "-v", "0", "-c", code)


@pytest.mark.parametrize(
    "trouble",
    [
        _nobody_hears,
        pytest.param(_the_same_ten_thousand_times, marks=pytest.mark.slow),
        _odd_rules,
        _the_clock_was_wrong,
        _nothing_can_be_written,
        _all_jobs_at_once,
    ],
)
async def test_answers_stay_whole_and_new_ones_come(
    watched: servers.Site, trouble: Callable[[servers.Site], None]
) -> None:
    client = Api(watched.url)
    async with client.http:
        choir = await streams.open_many(client, 3, words=60, delay_ms=100)
        await choir.begun()

        await asyncio.to_thread(trouble, watched)

        assert [one for one in await choir.ended() if not one.is_whole()] == []
        assert await _took_s(client) < _SOON_S


async def test_a_queue_that_is_away_keeps_nobody_from_chatting(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with servers.site(
        tmp_path_factory.mktemp("queueless"),
        gemini_url=local_gemini,
        CELERY_BROKER_URL=f"redis://127.0.0.1:{free_port()}/0",
    ) as site:
        client = Api(site.url)
        async with client.http:
            assert await _took_s(client) < _SOON_S
        told = servers.exit_of(site.env, "health").text.splitlines()
        [broker] = [line for line in told if line.startswith("broker")]
        assert "degraded" in broker


def test_two_schedulers_run_each_period_once(watched: servers.Site) -> None:
    log = watched.data_dir / "worker.log"
    clients.until(lambda: "schedule.leading" in log.read_text("utf-8"), within_s=60)

    clients.until(lambda: store.rows(watched, _RUNS)[1:], within_s=60)

    # A slot has one run at most; so a period has if its slot is the same for everybody.
    slots = [datetime.fromisoformat(row["slot"]) for row in store.rows(watched, _RUNS)]
    assert {slot.timestamp() % _PERIOD_S for slot in slots} == {0}


async def _took_s(client: Api) -> float:
    """Say something in a new conversation; return how long the answer took."""
    started_at = time.monotonic()
    response = await client.say(await client.begin(), _TEXT)
    assert response.status_code == 200, response.text
    return time.monotonic() - started_at
