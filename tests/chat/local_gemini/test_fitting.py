"""What of a long prompt the small model is shown."""

from itertools import pairwise

import pytest

from chat.local_gemini.smollm2 import PROMPT_TOKENS, fitted

BEGIN, END, NEWLINE, USER, ASSISTANT = 1, 2, 198, 4093, 520
SYSTEM = [BEGIN, 9690, NEWLINE, *[7] * 20, END, NEWLINE]


def conversation(length: int) -> list[int]:
    """Return turns of 54 tokens each, every text token saying which turn it is of."""
    body: list[int] = []
    for number in range(length):
        role = ASSISTANT if number % 2 else USER
        body += [BEGIN, role, NEWLINE, *[1000 + number] * 49, END, NEWLINE]
    return body


def test_a_prompt_that_fits_is_left_alone() -> None:
    assert fitted(SYSTEM, conversation(5)) == SYSTEM + conversation(5)


@pytest.mark.parametrize("length", [19, 20, 33, 100])
def test_the_instruction_and_the_newest_turns_stay(length: int) -> None:
    prompt = fitted(SYSTEM, conversation(length))

    assert len(prompt) <= PROMPT_TOKENS
    assert prompt[: len(SYSTEM)] == SYSTEM
    assert prompt[len(SYSTEM) : len(SYSTEM) + 3] in (
        [BEGIN, USER, NEWLINE],
        [BEGIN, ASSISTANT, NEWLINE],
    )
    assert prompt[-500:] == conversation(length)[-500:]


def test_the_cut_stays_in_place_while_the_conversation_grows() -> None:
    prompts = [fitted(SYSTEM, conversation(length)) for length in range(20, 40)]

    continued = [
        later[: len(earlier)] == earlier for earlier, later in pairwise(prompts)
    ]
    assert continued.count(True) >= 14


def test_an_endless_instruction_leaves_room_for_the_conversation() -> None:
    prompt = fitted([BEGIN, 9690, NEWLINE, *[7] * 5000, END, NEWLINE], conversation(30))

    assert len(prompt) <= PROMPT_TOKENS
    assert prompt[-250:] == conversation(30)[-250:]
