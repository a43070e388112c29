"""The real Celery app with tasks that tests can hold, kill and count."""

import os
import signal
import time
from pathlib import Path

import structlog

from oracle_site.celery import app

_PAUSE_S = 0.02


@app.task(name="trial.job")  # type: ignore[untyped-decorator]
def job(slot: str, folder: str) -> None:
    """Run a job that ends when the file `go` is there; note when it begins and ends."""
    from monitoring import jobs  # needs Django, which the worker sets up later

    def work() -> int:
        _note(folder, f"begin {slot} {os.getpid()}")
        while not (Path(folder) / "go").exists():
            time.sleep(_PAUSE_S)
        _note(folder, f"end {slot} {os.getpid()}")
        return 1

    jobs.register("trial.job", work, every_s=3600)
    jobs.run("trial.job", slot=slot)


@app.task(name="trial.poison")  # type: ignore[untyped-decorator]
def poison(folder: str) -> None:
    """Kill whoever runs it."""
    _note(folder, "poison")
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="trial.tick")  # type: ignore[untyped-decorator]
def tick() -> None:
    """Do nothing; the schedule sends it and nobody runs it."""


@app.task(name="trial.speak")  # type: ignore[untyped-decorator]
def speak(word: str) -> None:
    """Log a word as information and as an error."""
    log = structlog.get_logger("trial")
    log.info("trial.spoke", word=word)
    log.error("trial.spoke", word=word)


def _note(folder: str, line: str) -> None:
    """Append a line, whole, whatever happens to the process next."""
    with (Path(folder) / "notes").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
