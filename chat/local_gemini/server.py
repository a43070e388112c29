"""Runs the server until it is told to stop."""

import asyncio
import os
import signal
import sys

from .app import App
from .brain import Brain
from .connection import Connection
from .control import Control
from .errors import BrainUnavailable
from .options import Options
from .scripted import ScriptedBrain
from .smollm2 import SmolLM2Brain

_PARENT_CHECK_S = 0.5


def run(options: Options) -> None:
    """Serve until SIGTERM, SIGINT or the end of the parent process.

    Prints one line with the address when ready.

    Raises:
        BrainUnavailable: the brain cannot run on this machine.
        OSError: the address cannot be listened on.
    """
    brain = make_brain(options)
    try:
        asyncio.run(_serve(brain, options))
    finally:
        brain.close()


def make_brain(options: Options) -> Brain:
    """Return the chosen brain, ready to answer.

    Raises:
        BrainUnavailable: it cannot run on this machine.
    """
    if options.brain != "scripted":
        try:
            return SmolLM2Brain(
                slots=options.slots,
                queue=options.queue,
                output_tokens=options.output_tokens,
            )
        except BrainUnavailable as error:
            if options.brain != "auto":
                raise
            sys.stderr.write(f"{error}; the scripted brain answers instead\n")
    return ScriptedBrain(
        options.defaults(), is_implicit_cache_on=options.implicit_cache
    )


async def _serve(brain: Brain, options: Options) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    is_scripted = isinstance(brain, ScriptedBrain)
    control = Control(brain) if is_scripted or options.journal else None
    app = App(
        brain,
        control=control,
        required_key=options.require_key,
        has_interactions=options.interactions,
    )
    connections: set[Connection] = set()
    server = await loop.create_server(
        lambda: Connection(app, connections),
        options.host,
        options.port,
        backlog=1024,
    )
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(
        f"local gemini ({brain.name}) listening on http://{options.host}:{port}\n"
    )
    sys.stdout.flush()
    watch = asyncio.create_task(_watch_parent(options.parent_pid, stopped))
    await stopped.wait()
    watch.cancel()
    server.close()
    for connection in list(connections):
        connection.close()


async def _watch_parent(pid: int, stopped: asyncio.Event) -> None:
    if not pid:
        return
    # A dead parent nobody waited for still has its pid, but no longer its children.
    is_child = os.getppid() == pid
    while os.getppid() == pid if is_child else _is_alive(pid):
        await asyncio.sleep(_PARENT_CHECK_S)
    stopped.set()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
