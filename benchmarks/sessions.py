"""Persistent sessions against control: `python -m benchmarks.sessions`.

Whole conversations over the API of running sites, the arms in turn within each turn;
recoveries; memory. With the scripted brain tokens are words and the provider's cache
follows a documented rule; smollm2 is a real model with a real one.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2

from benchmarks import session_arms, session_memory, session_recovery, session_tables
from benchmarks.figures import Section
from benchmarks.session_arms import Arm, Talk
from benchmarks.session_talks import Question, of_facts, of_words
from chat.local_gemini.smollm2 import PROMPT_TOKENS
from tests import servers

# Gemini 3.x Flash: the least prompt that is cached, by its documentation, and the
# blocks in which hits were seen to grow (googleapis/python-genai issue 2064).
_MINIMUM_TOKENS = 4_096
_BLOCK_TOKENS = 2_048
_SMALL_ANSWER_TOKENS = 40
_SMALL_TURNS = 14
_TURNS = 20
_CONVERSATIONS = {"scripted": 4, "smollm2": 3}


@dataclass(frozen=True, slots=True)
class Scenario:
    """Conversations with a scripted model; lengths are in words, which are tokens."""

    title: str
    question: Question
    answer_words: int
    block_tokens: int


_SCENARIOS = (
    Scenario(
        f"Long messages, cached in blocks of {_BLOCK_TOKENS:,} tokens",
        of_words("blocks", 200),
        answer_words=400,
        block_tokens=_BLOCK_TOKENS,
    ),
    Scenario(
        "Long messages, all that was sent before is cached",
        of_words("whole", 200),
        answer_words=400,
        block_tokens=1,
    ),
    Scenario(
        "Short messages, cached in whole",
        of_words("short", 30),
        answer_words=60,
        block_tokens=1,
    ),
)


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brain", choices=list(_CONVERSATIONS), default="scripted")
    parser.add_argument(
        "--turns",
        type=int,
        help=f"of a conversation ({_TURNS}; smollm2: {_SMALL_TURNS}, which fit)",
    )
    parser.add_argument("--conversations", type=int, help="for each arm")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    count = given.conversations or _CONVERSATIONS[given.brain]
    with tempfile.TemporaryDirectory() as folder:
        if given.brain == "scripted":
            sections = scripted(Path(folder), given.turns or _TURNS, count)
        else:
            sections = small_model(Path(folder), given.turns or _SMALL_TURNS, count)
        found = list(sections)
    if given.json:
        print(json.dumps([section.as_json() for section in found], indent=2))
    else:
        load = " ".join(f"{each:.1f}" for each in os.getloadavg())
        print("\n\n".join(section.text() for section in found))
        print(f"\nLoad of the machine at the end: {load} on {os.cpu_count()} cores.")


def scripted(data_dir: Path, turns: int, conversations: int) -> Iterator[Section]:
    """Yield every comparison that needs no real model."""
    with (
        servers.local_gemini("--cache-min-tokens", str(_MINIMUM_TOKENS)) as url,
        session_arms.running(
            data_dir / "arms",
            gemini_url=url,
            DJANGO_SETTINGS_MODULE="benchmarks.long_instruction",
        ) as arms,
    ):
        for scenario in _SCENARIOS:
            yield _played(scenario, arms, turns, conversations, url)
        yield session_recovery.measure(arms["history"], gemini_url=url)
    yield session_memory.measure(data_dir / "memory")


def _played(
    scenario: Scenario,
    arms: dict[str, Arm],
    turns: int,
    conversations: int,
    gemini_url: str,
) -> Section:
    defaults = {
        "words": scenario.answer_words,
        "chunk_words": 20,
        "cache_block_tokens": scenario.block_tokens,
    }
    url = f"{gemini_url}/_local/defaults"
    httpx2.put(url, json=defaults).raise_for_status()
    talk = Talk(scenario.question, conversations, turns)
    samples = session_arms.measure(list(arms.values()), talk, gemini_url=gemini_url)
    httpx2.delete(url).raise_for_status()
    return session_tables.section(
        f"{scenario.title}: {turns} turns, {conversations} × each arm",
        samples,
        notes=[
            f"A prefix is cached from {_MINIMUM_TOKENS:,} tokens on, in every arm; "
            "for interactions the last answer is part of it.",
            "control sends its recent messages only, and forgets what is older.",
            "The scripted model answers a cached prompt no sooner: its first-token "
            "times show what site, SDK and this model's counting of tokens take.",
        ],
    )


def small_model(data_dir: Path, turns: int, conversations: int) -> Iterator[Section]:
    """Yield the comparison with a real model."""
    options = ["--output-tokens", str(_SMALL_ANSWER_TOKENS), "--journal"]
    with (
        servers.local_gemini("--brain", "smollm2", *options) as url,
        session_arms.running(data_dir, gemini_url=url) as arms,
    ):
        talk = Talk(of_facts, conversations, turns)
        samples = session_arms.measure(list(arms.values()), talk, gemini_url=url)
    yield session_tables.section(
        f"smollm2: {turns} short turns, {conversations} × each arm",
        samples,
        notes=[
            f"Answers end after {_SMALL_ANSWER_TOKENS} tokens: this model reads "
            f"{PROMPT_TOKENS:,} tokens, and what is longer would lose its beginning.",
            "With this model the time to the first token is mostly that of reading "
            "what is not cached.",
            "Its cache has no minimum; Gemini would cache none of these prompts "
            f"(under {_MINIMUM_TOKENS:,} tokens).",
        ],
    )


if __name__ == "__main__":
    main()
