"""A log file of bounded size that others may rotate, too."""

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from . import console

_MAX_BYTES = 10_000_000
_OLD_COUNT = 3


class LogFile(RotatingFileHandler):
    """What one process says: at most 40 MB, in `NAME.log` and `NAME.log.1` to `.3`.

    When the file was renamed or removed, as logrotate does, the next line goes into a
    new one, with nobody told to reopen. It has one writer, the launcher's thread, so
    that no line can fall between two processes that rotate at once.
    """

    def __init__(self, path: Path, *, max_bytes: int = _MAX_BYTES) -> None:
        super().__init__(
            path,
            maxBytes=max_bytes,
            backupCount=_OLD_COUNT,
            encoding="utf-8",
            delay=True,  # opening may fail, and is then told as a failed line is
        )
        self._path = path
        self._has_failed = self._is_failing = False

    def write(self, line: str) -> None:
        """Append a line; a disk that takes none must not stop whoever speaks."""
        self._has_failed = False
        self.emit(logging.makeLogRecord({"msg": line}))
        self._is_failing = self._has_failed

    def emit(self, record: logging.LogRecord) -> None:
        """Look first whether the file is still the one of this name."""
        try:
            self._reopen_if_moved()
        except OSError:
            self.handleError(record)
        else:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - overrides
        """Tell the terminal once, until lines can be kept again."""
        del record
        self._has_failed = True
        if not self._is_failing:
            console.say(f"{self._path} can't be written: its lines are only here.")

    def _reopen_if_moved(self) -> None:
        if self.stream is not None and not self._is_in_place(self.stream):
            self.stream.close()
            self.stream = None
        if self.stream is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.stream = self._open()

    def _is_in_place(self, stream: IO[str]) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(stream.fileno()))
