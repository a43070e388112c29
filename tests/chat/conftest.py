"""Fixtures for the tests of conversations."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.conf import LazySettings

from chat import database, gemini, sessions
from chat.models import Conversation
from tests import clients, servers
from tests.chat import persistent, stored


@pytest.fixture(autouse=True)
def _no_session_is_left() -> Iterator[None]:
    """Empty this process's pool: the next test's conversations have the same ids."""
    yield
    for each in sessions.pool().all():
        sessions.pool().drop(each)


@pytest.fixture
def api(site: servers.Site) -> Iterator[clients.Api]:
    """A connection of the host itself."""
    with clients.Api(site.url) as connection:
        yield connection


@pytest.fixture
def visitor(site: servers.Site) -> Iterator[clients.Api]:
    """A connection of a visitor who owns one new session and nothing else."""
    with clients.visitor(site.url) as connection:
        yield connection


@pytest.fixture
def workers(site: servers.Site) -> Iterator[tuple[clients.Api, clients.Api]]:
    """Two connections of the host itself, each to another web process."""
    first, second = site.worker_pids()[:2]
    with (
        clients.on_worker(site.url, first) as one,
        clients.on_worker(site.url, second) as two,
    ):
        yield one, two


@pytest.fixture
def marker() -> str:
    """A word that stands in no other test's messages."""
    return f"marker-{uuid.uuid4().hex}"


@pytest.fixture
async def model_in_process(
    local_gemini: str, settings: LazySettings
) -> AsyncIterator[None]:
    """Point this very process's model at the local Gemini."""
    settings.GEMINI_API_KEY = "local"
    settings.GEMINI_BASE_URL = local_gemini
    settings.GEMINI_API_VERSION = "v1beta"
    settings.GEMINI_MAX_RETRIES = 0
    gemini.model.cache_clear()
    yield
    await gemini.model().close()
    gemini.model.cache_clear()


@pytest.fixture
def of(transactional_db: None) -> Iterator[Conversation]:
    """A conversation that gets persistent sessions from this very process."""
    del transactional_db
    stored.roll_out(100)
    yield stored.conversation()
    database.close()


@pytest.fixture
def requests(local_gemini: str, marker: str) -> Callable[[], list[dict[str, Any]]]:
    """The bodies of this test's requests so far."""
    return partial(persistent.sent, local_gemini, marker)


@pytest.fixture(scope="session")
def tight_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site of one worker with limits that a test can reach."""
    with servers.site(
        tmp_path_factory.mktemp("tight"),
        gemini_url=local_gemini,
        workers=1,
        MAX_RUNNING_GENERATIONS="1",
        MAX_STREAMS="3",
        SSE_COMMENT_INTERVAL_S="1",
        RATE_LIMIT_MESSAGES_PER_MINUTE="20",
        RATE_LIMIT_LOGINS_PER_MINUTE="2",
    ) as running:
        yield running
