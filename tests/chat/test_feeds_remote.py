"""An answer that another process makes, seen through the database."""

import asyncio

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from chat import database, statements
from chat.feeds import Delta, RemoteFeeds
from chat.models import Conversation, Generation
from tests.chat import stored

_NO_SUCH_TIME = "2026-13-01 00:00:00"
_PATIENCE_S = 20.0


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL stores no such time."
)
async def test_a_surprise_while_looking_leaves_no_reader_behind(
    of: Conversation, settings: LazySettings
) -> None:
    settings.POLL_INTERVAL_S = 0.02

    def begin() -> int:
        answer = stored.turn(of, answer="Because.", status="streaming")
        _set_heartbeat(_NO_SUCH_TIME)
        return Generation.objects.values_list("pk", flat=True).get(message=answer)

    feeds = RemoteFeeds()
    with capture_logs() as told, feeds.watching(await database.write(begin)) as feed:
        async with asyncio.timeout(_PATIENCE_S):
            while not any(line["event"] == "feeds.poll_failed" for line in told):
                await asyncio.sleep(0.02)
            now = statements.moment(timezone.now())
            await database.write(lambda: _set_heartbeat(now))

            seen = await anext(feed.read(0))

    assert seen == Delta(8, "Because.")


def _set_heartbeat(at: str) -> None:
    statements.run("UPDATE chat_generation SET heartbeat_at = %s", [at])
