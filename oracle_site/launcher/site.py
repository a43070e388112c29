"""One run of the site: bring it up, tell where it is, wait, bring it down."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

from django.conf import settings

from oracle_site import local_model

from . import claims, console, readiness
from .children import Children, read_procfile
from .errors import NotReady
from .preparation import ADMIN_NAME

T = TypeVar("T")
MODEL = "model"
_READY_WITHIN_S = 120.0
_POLL_S = 0.2
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not bound
_LOCAL = {*_LOOPBACK, "127.0.0.1", "::1"}
_PATIENCE_AFTER_DRAIN_S = 5.0
_LOCAL_MODELS = {
    "smollm2": "SmolLM2 135M on this machine: a real model, but a toy that makes "
    "things up.\n           Set GEMINI_API_KEY to talk to Gemini.",
    "scripted": "the scripted stand-in: fixed answers, no model at all.\n"
    "           Set GEMINI_API_KEY to talk to Gemini.",
}


class Interrupted(Exception):
    """Ctrl-C or a signal asked for the end while something was waited for."""


@dataclass
class Site:
    """The processes of one run and what they are told."""

    host: str
    port: int
    brain: str
    children: Children
    interrupts: int = 0
    env: dict[str, str] = field(default_factory=dict)
    _announced: IO[str] | None = None

    @classmethod
    def here(cls, *, host: str, port: int, brain: str) -> "Site":
        """Return a run on the data folder of the settings."""
        data = settings.DATA_DIR.resolve()
        children = Children(folder=settings.BASE_DIR, logs=data / "logs")
        programs = str(Path(sys.executable).parent)
        env = os.environ | {
            "PATH": programs + os.pathsep + os.environ.get("PATH", os.defpath),
            "PYTHONUNBUFFERED": "1",
            "ORACLE_DATA_DIR": str(data),
            "HOST": host,
            "PORT": str(port),
        }
        return cls(host=host, port=port, brain=brain, children=children, env=env)

    def interrupt(self) -> None:
        """Ask for the end; asking twice kills. Safe in a signal handler."""
        self.interrupts += 1
        if self.interrupts > 1:
            self.children.kill()

    def bring_up(self) -> None:
        """Start the model, if it is ours, then the rest, and wait for an answer.

        Raises:
            ChildEnded: a process ended on the way.
            Interrupted: the end was asked for.
            NotReady: a process does not answer in time.
        """
        commands = read_procfile(settings.BASE_DIR / "Procfile")
        model = commands.pop(MODEL)
        if settings.GEMINI_API_KEY or settings.GEMINI_BASE_URL:
            self.env["LOCAL_GEMINI_BRAIN"] = ""
        else:
            self._bring_up_model(model)
        for name, command in commands.items():
            self.children.start(name, command, self.env)
        self._until(self._site_answers, "The site does not answer")
        self.children.require_all()

    def stay(self) -> None:
        """Wait until the end is asked for.

        Raises:
            ChildEnded: a process ended before.
        """
        while not self.interrupts:
            self.children.require_all()
            time.sleep(_POLL_S)

    def bring_down(self) -> None:
        """End every process; running answers get the time to finish."""
        self.interrupts = max(self.interrupts, 1)
        patience_s = settings.GRACEFUL_TIMEOUT_S + _PATIENCE_AFTER_DRAIN_S
        self.children.stop(last=MODEL, patience_s=patience_s)

    def announce(self) -> None:
        """Say where everything is, and honestly who answers."""
        name = "localhost" if self.host in _LOCAL else self.host
        address = f"http://{name}:{self.port}"
        data = self.env["ORACLE_DATA_DIR"]
        console.say(
            f"\nOracle Chat {settings.VERSION} is ready.\n"
            f"  Address  {address}\n"
            f"  Admin    {address}/admin/ (user {ADMIN_NAME})\n"
            f"  Model    {self._who_answers()}\n"
            f"  Data     {data} (logs in {data}/logs)\n"
            f"  Stop     Ctrl-C\n"
        )

    def _site_answers(self) -> bool:
        address = _LOOPBACK.get(self.host, self.host)
        name = next((h for h in settings.ALLOWED_HOSTS if h != "*"), "localhost")
        return readiness.site_answers(address, self.port, host=name.lstrip("."))

    def _bring_up_model(self, command: str) -> None:
        port = claims.free_port()
        wanted = "scripted" if self.brain == "scripted" else "auto"
        told = {"LOCAL_GEMINI_PORT": str(port), "LOCAL_GEMINI_BRAIN": wanted}
        self.children.start(MODEL, command, self.env | told)
        running = self._until(
            lambda: readiness.model_brain(port), "The model does not answer"
        )
        if running == "scripted" and self.brain != "scripted":
            console.say(
                "The small model can't run on this machine: "
                "the scripted stand-in answers instead."
            )
        address = f"http://127.0.0.1:{port}"
        self._announced = local_model.announce(settings.DATA_DIR.resolve(), address)
        self.env |= {
            "GEMINI_BASE_URL": address,
            "GEMINI_API_KEY": "local",
            "LOCAL_GEMINI_BRAIN": running,
        }
        self.brain = running

    def _who_answers(self) -> str:
        if settings.GEMINI_BASE_URL:
            return f"{settings.GEMINI_MODEL} at {settings.GEMINI_BASE_URL}"
        if settings.GEMINI_API_KEY:
            return f"{settings.GEMINI_MODEL} at Google (the key is tried at first use)"
        return _LOCAL_MODELS[self.brain]

    def _until(self, ask: Callable[[], T | None], complaint: str) -> T:
        """Return the first answer that says something."""
        deadline = time.monotonic() + _READY_WITHIN_S
        while not (answer := ask()):
            if self.interrupts:
                raise Interrupted
            self.children.require_all()
            if time.monotonic() > deadline:
                raise NotReady(
                    f"{complaint} after {_READY_WITHIN_S:.0f} s. "
                    f"Its logs are in {self.env['ORACLE_DATA_DIR']}/logs."
                )
            time.sleep(_POLL_S)
        return answer
