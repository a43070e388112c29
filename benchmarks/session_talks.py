"""What is said in the conversations that are compared."""

from collections.abc import Callable
from typing import TypeAlias

from chat.local_gemini.prose import answer

# A word of its own at the beginning keeps conversations from sharing a prefix.
Question: TypeAlias = Callable[[str, int, int], str]

_FACTS = (
    "What is the capital of France?",
    "Name a river there.",
    "What is water made of?",
    "Name a colour.",
    "How many days has a week?",
    "Name an animal that can fly.",
    "What do bees make?",
    "Name a fruit.",
    "What is the opposite of hot?",
    "Where does the sun rise?",
)


def of_words(topic: str, count: int) -> Question:
    """Return questions of so many words, different for each arm and conversation."""

    def question(arm: str, number: int, turn: int) -> str:
        words = answer(f"{topic} {number} {turn}", words=count - 2)
        return f"{arm} {topic}{number} {words}"

    return question


def of_facts(arm: str, number: int, turn: int) -> str:
    """Return a short question for a small model."""
    fact = _FACTS[turn % len(_FACTS)]
    return fact if turn else f"I am visitor {number} of {arm}. {fact}"
