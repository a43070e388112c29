"""What of the addresses of notifications is secret."""

import pytest

from monitoring.redaction import Redactor
from oracle_site import notices


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("tgram://123456789:canary-67890abcde/42", "/bot123456789:canary-67890abcde/"),
        ("pover://user@canary-67890abcde", "Pushover refused canary-67890abcde"),
        ("mailtos://bob:canary-6@example.org", "bob, canary-6"),
        ("https://bob:canary%206@example.org/a", "bob, canary 6"),
        ("https://example.org/in?to=canary-67890abcde&x=1", "no canary-67890abcde"),
        ("https://example.org/in/canary-67890abcde", "POST /in/canary-67890abcde"),
    ],
)
def test_no_part_of_an_address_that_lets_somebody_in_is_shown(
    url: str, told: str
) -> None:
    shown = Redactor(list(notices.secrets(url))).clean(told)

    assert "canary" not in shown
    assert "[redacted]" in shown


def test_hosts_and_short_words_stay() -> None:
    found = set(notices.secrets("ntfys://messages.example.org/alerts"))

    assert found == {"ntfys://messages.example.org/alerts"}
