"""Whether the machine has room for us: disk, memory, a place for logs."""

import logging
import os
import shutil
from pathlib import Path

import psutil
from django.conf import settings

from monitoring.registry import DEGRADED, HEALTHY, UNHEALTHY, Health

_MB, _GB = 1_000_000, 1_000_000_000
_LITTLE_BYTES, _TOO_LITTLE_BYTES = _GB, 100 * _MB
_MUCH_MEMORY_PERCENT = 90.0


def disk() -> Health:
    """Look at the disk that the data is on."""
    return judged_disk(_free_bytes())


def disk_free_gb() -> float:
    """Return what is free where the data is, in GB of 1,000,000,000 bytes."""
    return _free_bytes() / _GB


def judged_disk(free_bytes: int) -> Health:
    """Judge by what is free: under 1 GB is little, under 100 MB writes soon fail."""
    sentence = f"{free_bytes / _GB:.2f} GB are free."
    if free_bytes < _TOO_LITTLE_BYTES:
        return Health(UNHEALTHY, sentence)
    return Health(DEGRADED if free_bytes < _LITTLE_BYTES else HEALTHY, sentence)


def memory() -> Health:
    """Look at the machine's memory."""
    return judged_memory(memory_percent())


def memory_percent() -> float:
    """Return how much of the machine's memory is in use."""
    return float(psutil.virtual_memory().percent)


def judged_memory(used_percent: float) -> Health:
    """Judge by the share that is in use: over 90 % the system soon ends somebody."""
    is_much = used_percent > _MUCH_MEMORY_PERCENT
    return Health(DEGRADED if is_much else HEALTHY, f"{used_percent:.0f} % are in use.")


def logs() -> Health:
    """Look at the folder that the launcher keeps the logs in, and who writes to it.

    Before the launcher has made it, the data folder is what must be writable.
    """
    if not logging.getLogger().handlers:
        return Health(DEGRADED, "Nothing is logged: the root logger has no handler.")
    folder = settings.DATA_DIR / "logs"
    return judged_folder(folder if folder.exists() else settings.DATA_DIR)


def judged_folder(folder: Path) -> Health:
    """Judge by whether this process may add files there."""
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Health(HEALTHY, "The folder of the logs is writable.")
    return Health(DEGRADED, "The folder of the logs is not writable.")


def _free_bytes() -> int:
    return shutil.disk_usage(settings.DATA_DIR).free
