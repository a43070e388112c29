"""A stranger holds the table of the runtime settings on PostgreSQL, without an end."""

from pathlib import Path

import psycopg

from tests.faults.conftest import NewSite
from tests.faults.workers import wait_until
from tests.flags.processes import on_postgresql

_LOCK = "LOCK TABLE flags_runtimesetting IN ACCESS EXCLUSIVE MODE"
_WAITING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def test_an_idle_site_ends_by_itself(new_site: NewSite, tmp_path: Path) -> None:
    with on_postgresql(tmp_path) as env:
        url = env["DATABASE_URL"]
        # So long that gunicorn, which would kill what hangs, does not help here.
        site = new_site(DATABASE_URL=url, GRACEFUL_TIMEOUT_S="300")
        with psycopg.connect(url) as stranger, psycopg.connect(url) as watcher:
            watcher.autocommit = True
            stranger.execute(_LOCK)
            # In each process those that follow the log level, and the public page.
            wait_until(lambda: len(watcher.execute(_WAITING).fetchall()) >= 4)

            site.master.terminate()

            assert site.master.wait(120) == 0
