"""What the server can be told on the command line or in the environment."""

import argparse
import os
from dataclasses import dataclass, fields

from .scripted import Defaults

_FALSE = ("", "0", "false", "no", "off")
BRAINS = ("scripted", "smollm2", "auto")


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of one server process; see `add_arguments` for their meaning."""

    brain: str = "scripted"
    host: str = "127.0.0.1"
    port: int = 0
    require_key: str = ""
    parent_pid: int = 0
    interactions: bool = True
    directive: str = ""
    every: int = 1
    min_turns: int = 1
    first_ms: float = 0
    delay_ms: float = 0
    words: int = 20
    chunk_words: int = 1
    cache_min_tokens: int = 0
    cache_block_tokens: int = 1
    implicit_cache: bool = True
    slots: int = 2
    queue: int = 8
    output_tokens: int = 512
    journal: bool = False

    def defaults(self) -> Defaults:
        """Return the part that concerns requests without a directive."""
        names = [field.name for field in fields(Defaults)]
        return Defaults(**{name: getattr(self, name) for name in names})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; `LOCAL_GEMINI_<OPTION>` in the environment is the default.

    Times are in milliseconds.
    """
    parser.add_argument(
        "--brain", choices=BRAINS, help="auto: smollm2 where it runs, else scripted"
    )
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="0 takes any free port")
    parser.add_argument("--require-key", help="refuse every other API key")
    parser.add_argument("--parent-pid", type=int, help="end when this process is gone")
    parser.add_argument(
        "--interactions",
        action=argparse.BooleanOptionalAction,
        help="speak the Interactions API, too",
    )
    scripted = parser.add_argument_group(
        "scripted brain",
        "It obeys a directive in the newest message, such as [[say words=200 "
        "delay_ms=20]], [[status code=429 retry_s=7]] or [[cut after=5]]; "
        "chat/local_gemini/behaviours.py has them all.",
    )
    scripted.add_argument("--directive", help="[[…]] for requests without their own")
    scripted.add_argument("--every", type=int, help="--directive for each Nth only")
    scripted.add_argument(
        "--min-turns", type=int, help="and only for requests of so many turns"
    )
    scripted.add_argument("--first-ms", type=float, help="until the first chunk")
    scripted.add_argument("--delay-ms", type=float, help="between chunks")
    scripted.add_argument("--words", type=int, help="words in an answer")
    scripted.add_argument("--chunk-words", type=int, help="words in a chunk")
    scripted.add_argument("--cache-min-tokens", type=int, help="to report cached ones")
    scripted.add_argument(
        "--cache-block-tokens", type=int, help="cached ones are a multiple of it"
    )
    scripted.add_argument(
        "--implicit-cache",
        action=argparse.BooleanOptionalAction,
        help="report repeated prompt prefixes as cached tokens",
    )
    smollm2 = parser.add_argument_group("smollm2 brain")
    smollm2.add_argument("--slots", type=int, help="answers made at a time")
    smollm2.add_argument("--queue", type=int, help="requests that may wait")
    smollm2.add_argument("--output-tokens", type=int, help="an answer's length at most")
    smollm2.add_argument(
        "--journal",
        action=argparse.BooleanOptionalAction,
        help="show requests below /_local; the scripted brain always does",
    )
    parser.set_defaults(**_initial_values())


def from_namespace(namespace: argparse.Namespace) -> Options:
    """Collect the parsed arguments."""
    return Options(**{f.name: getattr(namespace, f.name) for f in fields(Options)})


def _initial_values() -> dict[str, object]:
    values: dict[str, object] = {}
    for field in fields(Options):
        text = os.environ.get(f"LOCAL_GEMINI_{field.name.upper()}")
        if text is None:
            values[field.name] = field.default
        else:
            # The parser itself converts the text for every option with a `type`.
            values[field.name] = text not in _FALSE if field.type is bool else text
    return values
