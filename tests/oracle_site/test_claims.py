"""What a run claims for itself: the data folder and the port."""

import os
import socket
from pathlib import Path

import pytest

from oracle_site.launcher import claims
from oracle_site.launcher.errors import FolderTaken, NotPrepared, PortTaken


def test_a_folder_is_held_as_long_as_the_run_lasts(tmp_path: Path) -> None:
    with (
        claims.data_folder(tmp_path, port=8123),
        pytest.raises(FolderTaken, match=rf"process {os.getpid()}, port 8123"),
        claims.data_folder(tmp_path, port=8124),
    ):
        pass

    assert (tmp_path / "run.lock").stat().st_mode & 0o777 == 0o600
    with claims.data_folder(tmp_path, port=8125):
        assert (tmp_path / "run.lock").read_text().endswith("port 8125")


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "run.lock").mkdir()

    with (
        pytest.raises(NotPrepared, match="ORACLE_DATA_DIR must name a folder"),
        claims.data_folder(tmp_path, port=8123),
    ):
        pass


def test_a_free_port_may_be_taken() -> None:
    claims.require_port(claims.free_port(), host="127.0.0.1")


def test_a_port_of_all_addresses_is_taken_for_each_of_them() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortTaken, match=f"process {os.getpid()}"):
            claims.require_port(port, host="127.0.0.1")


def test_the_port_it_proposes_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(PortTaken) as caught:
            claims.require_port(taken.getsockname()[1], host="127.0.0.1")

        proposed = int(str(caught.value).split("PORT=")[1].split()[0])
        claims.require_port(proposed, host="127.0.0.1")


def test_a_host_that_is_not_ours_is_said() -> None:
    with pytest.raises(PortTaken, match=r"HOST='192\.0\.2\.1'"):
        claims.require_port(claims.free_port(), host="192.0.2.1")
