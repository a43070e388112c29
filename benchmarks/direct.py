"""The floor: the SDK called directly, by nobody's server.

`python -m benchmarks.direct BASE_URL --help`; prints the times to the first text.
"""

import argparse
import asyncio
import json

from google import genai
from google.genai import types

_MODEL = "gemini-3.8-flash"


async def first_texts_ms(
    base_url: str, *, message: str, concurrency: int, seconds: float
) -> list[float]:
    """Return the time to the first text of each call, in ms."""
    client = genai.Client(
        api_key="local",
        http_options=types.HttpOptions(base_url=base_url, api_version="v1beta"),
    )
    loop = asyncio.get_running_loop()
    found: list[float] = []

    async def call() -> None:
        started_at = loop.time()
        is_first = True
        async for chunk in await client.aio.models.generate_content_stream(
            model=_MODEL, contents=message
        ):
            if is_first and chunk.text:
                found.append((loop.time() - started_at) * 1000)
                is_first = False

    async def keep_calling() -> None:
        while loop.time() < deadline:
            await call()

    await call()  # opens the first connection and loads what the SDK loads late
    found.clear()
    deadline = loop.time() + seconds
    await asyncio.gather(*(keep_calling() for _ in range(concurrency)))
    return found


def main() -> None:
    """Read the command line and print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("--message", required=True)
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    times = first_texts_ms(
        given.base_url,
        message=given.message,
        concurrency=given.concurrency,
        seconds=given.seconds,
    )
    print(json.dumps(asyncio.run(times)))


if __name__ == "__main__":
    main()
