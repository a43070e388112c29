"""The earlier edition's recovery: every message is sent to the model once more.

`python -m benchmarks.session_resend BASE_URL` reads the messages, and the question that
waits for its answer, as JSON from its input; it prints how long it took.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass

from google import genai
from google.genai import types

_MODEL = "gemini-3.8-flash"


@dataclass(frozen=True, slots=True)
class Resent:
    """How long it took until the question was answered."""

    answered_ms: float


def recover(base_url: str, *, messages: list[str], question: str) -> Resent:
    """Bring a chat of the SDK to where it was, then ask."""
    client = genai.Client(
        api_key="local",
        http_options=types.HttpOptions(base_url=base_url, api_version="v1beta"),
    )
    # Opens the connection and loads what the SDK loads late.
    client.models.generate_content(model=_MODEL, contents="Hello.")
    started_at = time.perf_counter()
    chat = client.chats.create(model=_MODEL)
    for message in [*messages, question]:
        chat.send_message(message)
    return Resent((time.perf_counter() - started_at) * 1000)


def main() -> None:
    """Read the conversation and print the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    given = parser.parse_args()
    print(json.dumps(asdict(recover(given.base_url, **json.load(sys.stdin)))))


if __name__ == "__main__":
    main()
