"""The environment is read strictly: a bad value is named, a missing one replaced."""

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from oracle_site import env


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("SETTING", raising=False)
    monkeypatch.delenv("SETTING_FILE", raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *[(word, True) for word in ("1", "true", "TRUE", "yes", "on", " on ")],
        *[(word, False) for word in ("0", "false", "No", "off")],
    ],
)
def test_a_flag_has_words_for_yes_and_no(
    given: pytest.MonkeyPatch, word: str, value: bool
) -> None:
    given.setenv("SETTING", word)

    assert env.flag("SETTING", default=not value) is value


@pytest.mark.parametrize("word", ["2", "y", "enabled", "tru", "none"])
def test_any_other_word_is_no_flag(given: pytest.MonkeyPatch, word: str) -> None:
    given.setenv("SETTING", word)

    with pytest.raises(ImproperlyConfigured, match=f"SETTING='{word}'"):
        env.flag("SETTING", default=False)


@pytest.mark.parametrize("empty", [None, "", "   "])
def test_what_is_not_given_or_empty_has_its_default(
    given: pytest.MonkeyPatch, empty: str | None
) -> None:
    if empty is not None:
        given.setenv("SETTING", empty)

    assert env.text("SETTING", "default") == "default"
    assert env.words("SETTING", "a,b") == ["a", "b"]
    assert env.flag("SETTING", default=True) is True
    assert env.choice("SETTING", default="a", of=("a", "b")) == "a"
    assert env.integer("SETTING", default=7) == 7
    assert env.seconds("SETTING", default=0.5) == 0.5
    assert env.secret("SETTING") == ""


@pytest.mark.parametrize("value", [0, 3, 10])
def test_an_integer_within_its_bounds_is_taken(
    given: pytest.MonkeyPatch, value: int
) -> None:
    given.setenv("SETTING", f" {value} ")

    found = env.integer("SETTING", default=1, minimum=0, maximum=10)

    assert (found, type(found)) == (value, int)


@pytest.mark.parametrize(
    "value", ["-1", "11", "1.5", "ten", "1e1", "nan", "inf", "0x1"]
)
def test_any_other_integer_is_named(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("SETTING", value)

    with pytest.raises(ImproperlyConfigured, match=r"SETTING=.*from 0 to 10"):
        env.integer("SETTING", default=1, minimum=0, maximum=10)


@pytest.mark.parametrize("value", ["0.5", "60", "6e1"])
def test_seconds_may_have_a_fraction(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("SETTING", value)

    assert env.seconds("SETTING", default=1) == float(value)


@pytest.mark.parametrize("value", ["-1", "90000", "nan", "inf", "-inf", "1m", "1,5"])
def test_any_other_seconds_are_named(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("SETTING", value)

    with pytest.raises(ImproperlyConfigured, match=r"SETTING=.*seconds from 0"):
        env.seconds("SETTING", default=1)


def test_a_choice_names_what_can_be_chosen(given: pytest.MonkeyPatch) -> None:
    given.setenv("SETTING", "c")

    with pytest.raises(ImproperlyConfigured, match=r"SETTING='c'.*'a', 'b'"):
        env.choice("SETTING", default="a", of=("a", "b"))


def test_words_are_split_at_commas_without_blanks(given: pytest.MonkeyPatch) -> None:
    given.setenv("SETTING", " a, b ,,c,")

    assert env.words("SETTING") == ["a", "b", "c"]


def test_a_secret_can_stand_in_a_file(
    given: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    path.write_text(" swordfish\n")
    given.setenv("SETTING_FILE", str(path))

    assert env.secret("SETTING") == "swordfish"
    given.setenv("SETTING", "direct")
    assert env.secret("SETTING") == "direct"


def test_a_secret_file_that_is_missing_is_named(
    given: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given.setenv("SETTING_FILE", str(tmp_path / "missing"))

    with pytest.raises(ImproperlyConfigured, match=r"SETTING_FILE=.*missing"):
        env.secret("SETTING")


def test_a_secret_file_that_is_no_text_is_named_and_not_shown(
    given: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\xfe\x00swordfish")
    given.setenv("SETTING_FILE", str(path))

    with pytest.raises(ImproperlyConfigured, match="SETTING_FILE") as refused:
        env.secret("SETTING")

    assert "swordfish" not in str(refused.value)


def test_the_real_environment_wins_over_the_file(
    given: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "settings.env"
    path.write_text("SETTING=from file\nSETTING_OF_FILE=also\n")
    given.setenv("ORACLE_ENV_FILE", str(path))
    given.setenv("SETTING", "from environment")
    given.delenv("SETTING_OF_FILE", raising=False)

    env.load(tmp_path / "unused")

    assert env.text("SETTING") == "from environment"
    assert env.text("SETTING_OF_FILE") == "also"
    given.delenv("SETTING_OF_FILE")


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("none", []),
        ("loopback", ["loopback"]),
        ("loopback, 10.0.0.0/8,fd00::1", ["loopback", "10.0.0.0/8", "fd00::1"]),
    ],
)
def test_networks_are_addresses_ranges_or_this_host(
    given: pytest.MonkeyPatch, text: str, networks: list[str]
) -> None:
    given.setenv("SETTING", text)

    assert env.networks("SETTING", "loopback") == networks


@pytest.mark.parametrize("word", ["localhost", "10.0.0.1/8", "10.0.0.300", "*"])
def test_any_other_word_is_no_network(given: pytest.MonkeyPatch, word: str) -> None:
    given.setenv("SETTING", f"loopback,{word}")

    with pytest.raises(ImproperlyConfigured, match=f"SETTING='{re.escape(word)}'"):
        env.networks("SETTING")


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("", ["day"]), ("hour", ["hour"]), ("day, hour", ["day", "hour"])],
)
def test_choices_are_some_of_a_few_words(
    given: pytest.MonkeyPatch, text: str, chosen: list[str]
) -> None:
    given.setenv("SETTING", text)

    assert env.choices("SETTING", default="day", of=("hour", "day")) == chosen


def test_any_other_word_is_no_choice(given: pytest.MonkeyPatch) -> None:
    given.setenv("SETTING", "day,week")

    with pytest.raises(ImproperlyConfigured, match="SETTING: 'week' is none of"):
        env.choices("SETTING", default="day", of=("hour", "day"))


@pytest.mark.parametrize("value", ["", "https://example.org/x", "http://[::1]:8025/"])
def test_a_web_address_is_taken(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("SETTING", value)

    assert env.url("SETTING") == value


@pytest.mark.parametrize(
    "value",
    [
        *("canary.example.org", "ftp://canary.org/", "https://", "https://:1/canary"),
        *("https://canary.org:port/", "https://canary org/", "https://[canary/"),
    ],
)
def test_what_is_no_web_address_is_refused_and_not_shown(
    given: pytest.MonkeyPatch, value: str
) -> None:
    given.setenv("SETTING", value)

    with pytest.raises(ImproperlyConfigured, match="SETTING is not usable") as refused:
        env.url("SETTING")
    assert "canary" not in str(refused.value)


def test_addresses_of_any_scheme_are_told_apart(given: pytest.MonkeyPatch) -> None:
    given.setenv("SETTING", "ntfy://a/b,mailto://c?to=d,e json://f\nslack://g ,")

    assert env.urls("SETTING") == [
        *("ntfy://a/b", "mailto://c?to=d,e", "json://f", "slack://g"),
    ]


@pytest.mark.parametrize("value", ["canary", "json://a, canary b", "://canary"])
def test_what_is_no_address_is_refused_and_not_shown(
    given: pytest.MonkeyPatch, value: str
) -> None:
    given.setenv("SETTING", value)

    with pytest.raises(ImproperlyConfigured, match="SETTING: address") as refused:
        env.urls("SETTING")
    assert "canary" not in str(refused.value)


def test_mail_addresses_are_taken(given: pytest.MonkeyPatch) -> None:
    given.setenv("SETTING", "ops@example.org, root@localhost")

    assert env.mails("SETTING") == ["ops@example.org", "root@localhost"]
    assert env.urls("SETTING_2") == env.mails("SETTING_2") == []


@pytest.mark.parametrize("value", ["ops", "ops@", "a@b.org c@d.org", "a@b.org\nBcc: c"])
def test_what_is_no_mail_address_is_named(
    given: pytest.MonkeyPatch, value: str
) -> None:
    given.setenv("SETTING", value)

    with pytest.raises(ImproperlyConfigured, match="SETTING="):
        env.mail("SETTING", "ops@example.org")
