"""The memory of prompt prefixes behind the scripted brain's cached tokens."""

import random

from chat.local_gemini.prefixes import PrefixMemory


def longest_common(tokens: list[str], earlier: list[list[str]]) -> int:
    """Compare token by token: slow and plainly right."""
    best = 0
    for other in earlier:
        count = 0
        for left, right in zip(tokens, other, strict=False):
            if left != right:
                break
            count += 1
        best = max(best, count)
    return best


def test_it_finds_the_longest_prefix_of_any_earlier_request() -> None:
    memory = PrefixMemory()
    numbers = random.Random(7)
    earlier: list[list[str]] = []

    for _ in range(300):
        tokens = numbers.choices("ab", k=numbers.randint(0, 12))
        assert memory.common_tokens("m", tokens) == longest_common(tokens, earlier)
        earlier.append(tokens)


def test_models_share_nothing() -> None:
    memory = PrefixMemory()
    memory.common_tokens("one", ["a", "b"])

    assert memory.common_tokens("two", ["a", "b"]) == 0


def test_it_forgets_what_was_used_least_recently() -> None:
    memory = PrefixMemory(capacity=6)
    memory.common_tokens("m", ["a", "b", "c"])
    memory.common_tokens("m", ["x", "y", "z"])
    memory.common_tokens("m", ["a"])
    memory.common_tokens("m", ["q", "r"])

    assert memory.common_tokens("m", ["x", "y", "z"]) == 3
    assert memory.common_tokens("m", ["a", "b", "c"]) == 1


def test_it_forgets_the_longest_prefix_of_a_request_first() -> None:
    memory = PrefixMemory(capacity=3)
    memory.common_tokens("m", ["a", "b", "c", "d"])

    assert memory.common_tokens("m", ["a", "b", "c", "d"]) == 3
