"""The database that an address names; SQLite's file by default."""

from pathlib import Path
from typing import Any

import dj_database_url

# Each transaction takes the write lock at once and waits for it fairly
# (oracle_site.sqlite), and an acknowledged commit survives a power cut (FULL).
# Never mmap_size.
_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA synchronous=FULL;PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-20000;PRAGMA journal_size_limit=67108864;",
}

# A server that a network swallows is noticed in seconds: else each thread that asks it
# would hang for as long as the system tries, which is minutes. What an address says of
# these holds. A query that takes long is not meant by any of them.
_POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


def configured(url: str, data_dir: Path) -> dict[str, Any]:
    """Return Django's settings of it; an empty address is the file in the data folder.

    Raises: ValueError for an address that names no database we know.
    """
    found: dict[str, Any] = dict(
        dj_database_url.parse(url or f"sqlite:///{data_dir / 'oracle.sqlite3'}")
    )
    if found["ENGINE"] == "django.db.backends.postgresql":
        return found | {"OPTIONS": _POSTGRESQL_OPTIONS | found.get("OPTIONS", {})}
    if found["ENGINE"] != "django.db.backends.sqlite3":
        return found
    return found | {
        "ENGINE": "oracle_site.sqlite",
        "OPTIONS": _SQLITE_OPTIONS,
        "TEST": {"NAME": data_dir / "test.sqlite3"},
    }
