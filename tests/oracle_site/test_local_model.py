"""Where a running site's small model is, for commands in another shell."""

import fcntl
import multiprocessing
from pathlib import Path

from oracle_site import local_model

ADDRESS = "http://127.0.0.1:8123"


def test_an_address_holds_as_long_as_its_file_is_open(tmp_path: Path) -> None:
    with local_model.announce(tmp_path, ADDRESS):
        assert local_model.address(tmp_path) == ADDRESS

    assert local_model.address(tmp_path) == ""
    assert (tmp_path / "local_model").read_text() == ADDRESS  # as after a kill


def test_a_later_run_tells_its_own(tmp_path: Path) -> None:
    local_model.announce(tmp_path, "http://127.0.0.1:8123456789").close()

    with local_model.announce(tmp_path, ADDRESS):
        assert local_model.address(tmp_path) == ADDRESS


def test_whoever_looks_meanwhile_finds_all_of_it(tmp_path: Path) -> None:
    local_model.announce(tmp_path, ADDRESS).close()
    announcing = multiprocessing.get_context("spawn").Process(
        target=_announce_often, args=[tmp_path]
    )
    announcing.start()

    found = set()
    while announcing.is_alive():
        with (tmp_path / "local_model").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found.add(file.read())
    announcing.join()

    assert found == {ADDRESS}


def _announce_often(folder: Path) -> None:
    for _ in range(3000):
        local_model.announce(folder, ADDRESS).close()


def test_no_other_account_of_the_host_can_hold_it(tmp_path: Path) -> None:
    with local_model.announce(tmp_path, ADDRESS):
        assert (tmp_path / "local_model").stat().st_mode & 0o777 == 0o600


def test_where_nothing_ever_ran_there_is_none(tmp_path: Path) -> None:
    assert local_model.address(tmp_path / "nowhere") == ""
