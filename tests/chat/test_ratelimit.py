"""Token buckets: never more than was allowed, over all processes."""

import ipaddress
import time
from itertools import pairwise

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from chat import addresses, ratelimit
from chat.errors import RateLimited
from chat.models import RateBucket
from tests import clients, people, servers
from tests.clients import Api

_HITS = """
import json, multiprocessing
from django.db import connection
from chat import ratelimit
from chat.errors import RateLimited

def hit(accepted):
    for _ in range(40):
        try:
            ratelimit.spend(key="shared", per_minute=60, what="hits")
        except RateLimited:
            continue
        with accepted:
            accepted.value += 1

connection.close()
fork = multiprocessing.get_context("fork")
accepted = fork.Value("i")
hitting = [fork.Process(target=hit, args=(accepted,)) for _ in range(8)]
for process in hitting:
    process.start()
for process in hitting:
    process.join()
assert {process.exitcode for process in hitting} == {0}
print(json.dumps(accepted.value))
"""


def _spend(times: int, *, per_minute: int, key: str = "key") -> int:
    accepted = 0
    for _ in range(times):
        try:
            ratelimit.spend(key=key, per_minute=per_minute, what="things")
        except RateLimited:
            continue
        accepted += 1
    return accepted


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def test_eight_processes_never_exceed_the_limit(tight_site: servers.Site) -> None:
    started = time.monotonic()

    accepted = people.run(tight_site, _HITS)

    refilled = time.monotonic() - started
    assert 60 <= accepted <= 60 + refilled


@pytest.mark.django_db
def test_a_bucket_refills_with_time_and_never_beyond_its_size(
    clock: list[float],
) -> None:
    assert _spend(70, per_minute=60) == 60
    clock[0] += 10
    assert _spend(70, per_minute=60) == 10
    clock[0] += 10_000
    assert _spend(70, per_minute=60) == 60


@pytest.mark.django_db
def test_a_refusal_says_when_the_next_is_free(clock: list[float]) -> None:
    _spend(6, per_minute=6)

    with pytest.raises(RateLimited) as refused:
        ratelimit.spend(key="key", per_minute=6, what="things")

    wait_s = refused.value.retry_after_s or 0
    assert wait_s == pytest.approx(10)
    clock[0] += wait_s
    assert _spend(2, per_minute=6) == 1


@pytest.mark.django_db
def test_a_clock_that_runs_back_gives_and_takes_nothing(clock: list[float]) -> None:
    _spend(3, per_minute=6)

    clock[0] -= 50

    assert _spend(10, per_minute=6) == 3


@pytest.mark.django_db
def test_a_clock_that_was_ahead_locks_nobody_out(clock: list[float]) -> None:
    clock[0] += 3600
    assert _spend(10, per_minute=6) == 6

    clock[0] -= 3600

    assert _spend(10, per_minute=6) == 6
    clock[0] += 20
    assert _spend(10, per_minute=6) == 2


@pytest.mark.django_db
def test_a_lowered_limit_holds_at_once(clock: list[float]) -> None:
    _spend(1, per_minute=1000)

    assert _spend(50, per_minute=5) == 5
    assert clock


@pytest.mark.django_db
def test_buckets_are_apart(clock: list[float]) -> None:
    _spend(10, per_minute=2, key="one")

    assert _spend(10, per_minute=2, key="other") == 2
    assert RateBucket.objects.count() == 2
    assert clock


def test_too_many_messages_are_refused_and_not_stored(
    tight_site: servers.Site,
) -> None:
    with clients.visitor(tight_site.url) as api, clients.visitor(api.url) as other:
        session_id = api.begin()
        accepted, started = 0, time.monotonic()
        while (refused := api.ask(session_id, "Hello")).status_code == 200:
            accepted += 1

        refilled = (time.monotonic() - started) * 20 / 60
        assert 20 <= accepted <= 20 + refilled
        assert refused.status_code == 429
        assert refused.json()["error_code"] == "RATE_LIMITED"
        assert 0 < int(refused.headers["retry-after"]) <= 4
        count = api.call("GET", str(session_id)).json()["message_count"]
        assert count == 2 * accepted
        assert other.say(other.begin(), "Hello")["status"] == "complete"


def test_a_refused_turn_costs_nothing(api: Api) -> None:
    """A turn that is refused for another reason gives its tokens back."""
    session_id = api.begin()
    api.say(session_id, "Hello")

    refusals = [api.call("POST", f"{session_id}/retry") for _ in range(3)]

    assert {refused.status_code for refused in refusals} == {400}


@pytest.mark.parametrize(
    ("peer", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2ff:a::1", "2001:db8:1:200::/56"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_counted_by_the_network_one_person_has(
    rf: RequestFactory, peer: str, counted_as: str
) -> None:
    assert addresses.client_address(rf.get("/", REMOTE_ADDR=peer)) == counted_as


def test_neighbours_of_one_network_share_and_others_do_not(
    rf: RequestFactory,
) -> None:
    block = ipaddress.ip_network("2001:db8:0:100::/56")
    peers = [block[0], block[-1], block[-1] + 1]

    counted = [
        addresses.client_address(rf.get("/", REMOTE_ADDR=str(peer))) for peer in peers
    ]

    assert [one == other for one, other in pairwise(counted)] == [True, False]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "counted_as"),
    [
        ([], "198.51.100.1", "203.0.113.7"),
        (["203.0.113.7"], "198.51.100.1", "198.51.100.1"),
        (["203.0.113.7"], "10.0.0.1, 198.51.100.1", "198.51.100.1"),
        (["203.0.113.7"], "nonsense", ""),
    ],
)
def test_a_forwarded_address_is_believed_only_from_a_trusted_proxy(
    rf: RequestFactory,
    settings: LazySettings,
    proxies: list[str],
    forwarded: str,
    counted_as: str,
) -> None:
    settings.TRUSTED_PROXIES = proxies

    request = rf.get("/", REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR=forwarded)

    assert addresses.client_address(request) == counted_as


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_every_loopback_peer_is_this_host(rf: RequestFactory, peer: str) -> None:
    assert addresses.is_from_this_host(rf.get("/", REMOTE_ADDR=peer))


@pytest.mark.parametrize(
    "peer", ["10.0.0.1", "::ffff:10.0.0.1", "", "0.0.0.0", "fe80::1"]
)
def test_no_other_peer_is_this_host(rf: RequestFactory, peer: str) -> None:
    assert not addresses.is_from_this_host(rf.get("/", REMOTE_ADDR=peer))
