"""The database's settings that an address stands for."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.db.utils import ConnectionHandler

from oracle_site import databases


@pytest.mark.parametrize(
    ("query", "connect_timeout"), [("", 5), ("?connect_timeout=2", 2)]
)
def test_a_postgresql_that_a_network_swallows_is_noticed_in_seconds(
    query: str, connect_timeout: int, tmp_path: Path
) -> None:
    url = f"postgres://oracle@db.example.org/oracle{query}"

    options = databases.configured(url, tmp_path)["OPTIONS"]

    assert int(options["connect_timeout"]) == connect_timeout
    assert options["tcp_user_timeout"] == 10_000


def test_without_an_address_it_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    found = databases.configured("", tmp_path)

    assert found["NAME"] == str(tmp_path / "oracle.sqlite3")
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="others have a process")
def test_no_regular_expression_stops_the_process() -> None:
    User.objects.create_user("a" * 40 + "!")

    with pytest.raises(OperationalError, match="function"):
        User.objects.filter(username__regex="^(a+)+$").exists()


@pytest.mark.django_db
def test_no_other_account_of_the_host_reads_the_file(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    made = ConnectionHandler({"default": databases.configured("", tmp_path)})["default"]

    with made.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("CREATE TABLE words (word text)")
        files = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    made.close()

    names = ("oracle.sqlite3", "oracle.sqlite3-wal", "oracle.sqlite3-shm")
    assert files == dict.fromkeys(names, 0o600)
