"""`manage.py` itself: what becomes of what it prints."""

import os
import subprocess
import sys
from pathlib import Path

_MANAGE = Path(__file__).parent.parent / "manage.py"


def test_who_stops_reading_is_answered_with_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    ended = subprocess.run(
        [sys.executable, _MANAGE, "help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )

    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, b"")
