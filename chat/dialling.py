"""Makes connections for httpcore: the first address that answers."""

import asyncio
import socket
from collections.abc import Iterable
from typing import TypeAlias

import httpcore2

from chat import sockets

HEAD_START_S = 0.25  # RFC 8305: an address has this long before the next is tried

_Try: TypeAlias = asyncio.Task[tuple[asyncio.Transport, sockets.Stream]]


class Backend(httpcore2.AsyncNetworkBackend):
    """What httpcore connects through. It knows no Unix sockets: that raises."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> sockets.Stream:
        """Connect, with TCP_NODELAY as asyncio sets it.

        Raises: httpcore2.ConnectTimeout, httpcore2.ConnectError.
        """
        here = (local_address, 0) if local_address else None
        async with sockets.connecting(timeout):
            stream = await _connected(host, port, here)
            try:
                for option in socket_options or ():
                    stream.get_extra_info("socket").setsockopt(*option)
            except OSError:
                stream.abort()
                raise
        return stream

    async def sleep(self, seconds: float) -> None:
        """Wait between tries."""
        await asyncio.sleep(seconds)


async def _connected(
    host: str, port: int, here: tuple[str, int] | None
) -> sockets.Stream:
    """Race the addresses, as uvloop would not, so that dead IPv6 costs little."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    tries: list[_Try] = []
    pending: set[_Try] = set()
    winner: _Try | None = None
    try:
        while winner is None and (len(tries) < len(found) or pending):
            if len(tries) < len(found):
                family, _, _, _, address = found[len(tries)]
                connecting = loop.create_connection(
                    sockets.Stream,
                    str(address[0]),
                    port,
                    family=family,
                    local_addr=here,
                )
                tries.append(loop.create_task(connecting))
                pending.add(tries[-1])
            done, pending = await asyncio.wait(
                pending,
                timeout=HEAD_START_S if len(tries) < len(found) else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            winner = next((one for one in done if one.exception() is None), None)
        return (winner or tries[-1]).result()[1]
    finally:
        for one in tries:
            if one is not winner:
                one.cancel()
                one.add_done_callback(_discard)


def _discard(late: _Try) -> None:
    if not late.cancelled() and late.exception() is None:
        late.result()[1].abort()
