"""What an answer looks like, and that nothing in it is alive."""

import re
from html.parser import HTMLParser

import pytest

from chat import markup
from chat.rendering import Stream, render, render_user
from tests.chat.xss_corpus import PAYLOADS


def test_headings_stand_below_those_of_the_page() -> None:
    assert render("# a\n###### b") == "<h3>a</h3>\n<h6>b</h6>\n"


def test_table_columns_are_aligned_by_class() -> None:
    html = render("a | b | c\n:-|:-:|-:\n1 | 2 | 3")

    assert '<td class="align-center">2</td>' in html
    assert "style" not in html


def test_code_of_a_known_language_is_coloured_once_closed() -> None:
    stream = Stream()

    opened = stream.feed("```python\nreturn 1\n").tail
    closed = stream.finish()[0].html

    assert "<code>return 1\n</code>" in opened
    assert '<span class="k">return</span>' in closed
    assert '<span class="code-language">python</span>' in opened
    assert '<span class="code-language">python</span>' in closed


def test_code_of_an_unknown_language_is_shown_as_it_is() -> None:
    html = render("```nosuch\na < b\n```")

    assert "<code>a &lt; b\n</code>" in html
    assert '<span class="code-language">nosuch</span>' in html


@pytest.mark.parametrize("language", sorted(markup.LANGUAGES))
def test_every_named_language_keeps_its_text(language: str) -> None:
    source = "\n\n  a = '<x>' # é\n\tend\n\n"

    html = render(f"```{language}\n{source}```")

    assert _text_of(html).removeprefix(language) == source + "\n"


def test_a_parser_has_compiled_its_rules_before_two_threads_can_meet_in_it() -> None:
    parser = markup._parser()

    assert parser.core.ruler.__cache__
    assert parser.block.ruler.__cache__
    assert parser.inline.ruler.__cache__
    assert parser.inline.ruler2.__cache__


# --- Links ----------------------------------------------------------------------------


def test_a_link_opens_elsewhere_and_tells_nothing() -> None:
    html = render("[a](https://b.example/c)")

    assert html == (
        '<p><a href="https://b.example/c" target="_blank"'
        ' rel="noopener noreferrer nofollow">a</a></p>\n'
    )


@pytest.mark.parametrize(
    ("markdown", "host"),
    [
        ("[https://bank.example](https://evil.example/x)", "evil.example"),
        ("[bank.example/login](https://evil.example)", "evil.example"),
        ("[b\u200bank.example](https://evil.example)", "evil.example"),
        ("[`bank.example`](https://evil.example)", "evil.example"),
        ("[**bank**.example](https://evil.example)", "evil.example"),
        ("[bank](https://bank.example@evil.example)", "evil.example"),
        ("<https://bаnk.example>", "xn--bnk-6cd.example"),
        ("[me@bank.example](mailto:you@evil.example)", "you@evil.example"),
        ("![bank.example](https://evil.example/x.png)", "evil.example"),
    ],
)
def test_a_link_that_looks_like_another_shows_its_host(
    markdown: str, host: str
) -> None:
    assert f'<span class="link-host">({host})</span>' in render(markdown)


@pytest.mark.parametrize(
    "markdown",
    [
        "<https://a.example/b>",
        "[a.example](https://www.a.example/b)",
        "[https://a.example/x](https://a.example/y)",
        "<me@a.example>",
        "[the manual](https://a.example)",
    ],
)
def test_an_honest_link_is_left_as_it_is(markdown: str) -> None:
    assert "link-host" not in render(markdown)


@pytest.mark.parametrize(
    "url", ["/admin/", "//evil.example", "javascript:alert(1)", "#m1", "ftp://a.b", "x"]
)
def test_only_absolute_web_and_mail_addresses_become_links(url: str) -> None:
    assert "<a" not in render(f"[x]({url})")


def test_an_image_is_never_loaded() -> None:
    html = render("![a cat](https://evil.example/cat.png)")

    assert "<img" not in html
    assert ">a cat</a>" in html


# --- Hostile text ---------------------------------------------------------------------


class _Audit(HTMLParser):
    """Collects tags, attributes and text of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= set(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def _audit(html: str) -> _Audit:
    audit = _Audit()
    audit.feed(html)
    audit.close()
    return audit


def _text_of(html: str) -> str:
    return _audit(html).text


ALIVE = re.compile(r"^(on|style|src|id|name|action|formaction|xlink|background)")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_alive_survives(payload: str) -> None:
    for html in (render(payload), render_user(payload)):
        found = _audit(html)

        assert not found.tags & {"script", "img", "svg", "iframe", "style", "form"}
        assert not [name for name, _ in found.attributes if ALIVE.match(name)]
        for name, value in found.attributes:
            if name == "href":
                assert re.match(r"https?://|mailto:", value or "")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_sanitising_again_changes_nothing(payload: str) -> None:
    html = render(payload)

    assert markup._SANITISER.clean(html) == html


@pytest.mark.parametrize(
    "text", ["a\u202eb", "a&#x202e;b", "a\x1bb", "a\U000e0041b", "`a\u2066b`", "a\x85b"]
)
def test_characters_that_hide_or_turn_text_are_dropped(text: str) -> None:
    assert _text_of(render(text)).strip() == "ab"
    assert not set(render_user(text)) & set("\u202e\x1b\U000e0041\u2066\x85")


def test_joined_emoji_and_right_to_left_text_stay() -> None:
    text = "👩‍👩‍👧 שלום \u200f"

    assert text.strip() in render(text)


def test_a_class_of_the_page_cannot_be_borrowed() -> None:
    html = render("```message-note\nx\n```\n\n<p class=message>y</p>")

    assert 'class="message' not in html
