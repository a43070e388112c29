"""Finding the directive in what a person wrote."""

import pytest

from chat.local_gemini.directives import Directive, find, newest_message, question


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no directive", None),
        ("a [[wiki link]] and [[unknown x=1]]", None),
        ("[[hang]]", Directive("hang", {}, "[[hang]]")),
        (
            "please [[say words=3 delay_ms=1.5]] now",
            Directive(
                "say",
                {"words": "3", "delay_ms": "1.5"},
                "[[say words=3 delay_ms=1.5]]",
            ),
        ),
        ("[[hang]] then [[cut]]", Directive("cut", {}, "[[cut]]")),
        (
            "[[finish reason=A=B]]",
            Directive("finish", {"reason": "A=B"}, "[[finish reason=A=B]]"),
        ),
    ],
)
def test_the_last_known_directive_counts(text: str, expected: Directive | None) -> None:
    assert find(text) == expected


@pytest.mark.parametrize(
    ("text", "newest"),
    [
        ("just a message", "just a message"),
        ("User: one\nAssistant: two\nUser: three", "three"),
        (
            "System text\n\nUser: one\n\nAssistant: two\n\nUser: three\n\nAssistant:",
            "three\n",
        ),
        ("User: a\nb", "a\nb"),
        ("Is User: a label?", "Is User: a label?"),
    ],
)
def test_the_newest_message_of_a_transcript_is_the_last_users(
    text: str, newest: str
) -> None:
    assert newest_message(text) == newest


def test_the_question_is_the_newest_message_without_its_directive() -> None:
    assert (
        question("User: old\nAssistant: x\nUser: new [[hang]]\n\nAssistant:") == "new"
    )
