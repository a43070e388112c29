"""The stream and the page show the same, for every way of cutting a text."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import markup
from chat.rendering import BLOCK_LIMIT_CHARS, Stream, render, render_user

CORPUS = {
    "paragraphs": "One\ntwo\n\nthree\n\n\nfour",
    "setext": "Title\n===\n\nOther\n---\ntext\n-",
    "headings": "# a\n## b ##\ntext\n#not\n#",
    "tight list": "- a\n- b\n  - c\n    - d\n- e\n",
    "loose list": "- a\n\n- b\n\n\n  still b\n\nend",
    "ordered": "1. a\n2. b\n\n2\n\n3. c\n3) d",
    "list interrupted": "- a\n+ b\n1. c\ntext\n* * *\n- d",
    "item with fence": "- a\n  ```py\n  x = 1\n\n  y = 2\n  ```\n- b",
    "fence": "a\n```python\nx = 1\n\n# not a heading\n```\nb",
    "unclosed fence": "a\n\n````\n```\nb\n\nc",
    "tilde fence": "~~~ js\nlet a = `b`;\n~~~~\n~~~\nopen",
    "indented": "    code\n\n    more\n\n\tsame\ntext\n    no code",
    "table": "a | b\n--|--\n1 | 2\n\n| x |\n|---|\n| y |\nz\n",
    "no table": "x\na | b\n-|-z\n\na | b\n-|",
    "table after text": "text\n| a | b |\n|:--|--:|\n| `x|y` | z |\nlast",
    "quote": "> a\nlazy\n> b\n\n> > c\n> d\n\n>\n> e",
    "quote with list": "> - a\n> - b\n\n> - c\nd",
    "html": "<div>\n\n**x**\n\n</div>\n<!-- a\n\nb -->\n<b>c</b>",
    "links": "[a](https://b.example/c) <https://d.example> [e][f]\n\n[f]: https://g.example",
    "images": "![alt](https://x.example/y.png) [![a](https://b.example/c)](https://d.example)",
    "emphasis": "*a **b** c* __d__ ~~e~~ *open\n\n**also open",
    "breaks": "a  \nb\\\nc\nd",
    "crlf": "# a\r\n\r\n- b\r\n- c\r\n\r\nd\r\ne\rf\r\rg\r",
    "tabs": "-\ta\n\n\tb\n\n>\t\tc\n\td",
    "unicode": "Ünïcödé 👩‍👩‍👧 \u2028x\u2029 日本\n\n\u00a0\n\n\x0cy\x0bz\x85w",
    "rules": "a\n\n***\n---\n___\n- - -\n",
    "entities": "&amp; &copy; &#x202e; &#0; &nosuch; &lt;b&gt;",
    "blank": "\n \n\t\n\n",
    "nul": "a\x00b\n\n\ud800c",
}
FRAGMENTS = [
    *"#*_~`-+>|[]()!<&\\ \t\n\r=:.1aé",
    *("\n\n", "```", "~~~", "    ", "- ", "1. ", "> ", "|-|", "---", "word ", "\r\n"),
    *("](https://a.example)", "![", "&#x202e;", "<b>", "a | b\n", "--|--\n", "  - "),
]
MARKDOWN = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join)


def streamed(text: str, cuts: list[int]) -> str:
    """Return what a stream of `text` cut at these places adds up to."""
    stream = Stream()
    places = [0, *sorted(cuts), len(text)]
    html = ""
    for start, end in pairwise(places):
        html += "".join(block.html for block in stream.feed(text[start:end]).blocks)
    return html + "".join(block.html for block in stream.finish())


def every_char(text: str) -> list[int]:
    return list(range(len(text)))


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS)
def test_a_stream_adds_up_to_the_page_for_each_cut_of_the_corpus(text: str) -> None:
    page = render(text)

    assert streamed(text, every_char(text)) == page
    for place in range(len(text) + 1):
        assert streamed(text, [place]) == page


@settings(max_examples=400, deadline=None)
@given(text=MARKDOWN, data=st.data())
def test_a_stream_adds_up_to_the_page_for_any_text(
    text: str, data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=8))

    assert streamed(text, cuts) == streamed(text, every_char(text)) == render(text)


def test_a_stream_adds_up_to_the_page_for_the_corpus_in_a_row() -> None:
    text = "\n\n".join(CORPUS.values())

    assert streamed(text, every_char(text)) == render(text)


@settings(max_examples=300, deadline=None)
@given(text=MARKDOWN)
def test_the_blocks_are_those_of_one_parse_of_the_whole(text: str) -> None:
    tokens = markup.blocks(text)

    whole = "".join(markup.to_html(block, is_final=True) for block in tokens)

    assert render(text) == whole


@settings(max_examples=300, deadline=None)
@given(text=MARKDOWN, place=st.integers(0, 200))
def test_any_process_finds_the_same_boundaries(text: str, place: int) -> None:
    one, other = Stream(), Stream()
    for char in text[:place]:
        one.feed(char)

    other.feed(text[:place])

    assert one.closed_chars == other.closed_chars


@settings(max_examples=200, deadline=None)
@given(text=MARKDOWN)
def test_a_reader_resumes_after_any_block(text: str) -> None:
    stream = Stream()
    blocks = stream.feed(text).blocks + stream.finish()

    for index, block in enumerate(blocks[:-1]):
        later = Stream.resume(text, block.end_chars)
        rest = later.feed("").blocks + later.finish()

        assert rest == blocks[index + 1 :]


def test_resuming_where_no_block_ends_is_refused() -> None:
    with pytest.raises(ValueError, match="No block ends at 3"):
        Stream.resume("one\n\ntwo\n\nthree", 3)
    with pytest.raises(ValueError, match="No block ends at 900"):
        Stream.resume("one\n\ntwo\n\nthree", 900)


def test_a_closed_block_never_changes() -> None:
    text = "\n\n".join(CORPUS.values())
    stream = Stream()
    seen = ""

    for char in text:
        seen += "".join(block.html for block in stream.feed(char).blocks)

        assert render(text).startswith(seen)


def test_the_tail_shows_what_is_not_closed_yet() -> None:
    stream = Stream()

    step = stream.feed("One *two*\n\nthree **fo")

    assert [block.html for block in step.blocks] == ["<p>One <em>two</em></p>\n"]
    assert step.blocks[0].end_chars == stream.closed_chars == len("One *two*\n")
    assert step.tail == "<p>three **fo</p>\n"


LONG = {
    "paragraph": "word " * 8_000,
    "list": "- item **bold** here\n" * 2_000,
    "fence": "```python\n" + "x = foo(1)\n" * 6_000 + "```\n\nafter **it**\n",
    "one line fence": "```\n" + "x" * 50_000,
    "quote": "> text\n" * 5_000,
    "blank": "\n" * 40_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_block_is_cut_in_pieces_that_do_not_depend_on_the_steps(
    text: str,
) -> None:
    page = render(text)

    assert streamed(text, list(range(0, len(text), 7_001))) == page
    assert streamed(text, list(range(0, len(text), 1_999))) == page


def test_a_long_fence_stays_code_to_its_end() -> None:
    page = render(LONG["fence"])

    assert page.endswith("<p>after <strong>it</strong></p>\n")
    assert page.count("<pre") == len(LONG["fence"]) // BLOCK_LIMIT_CHARS + 1
    assert page.count('<span class="code-language">python</span>') == page.count("<pre")
    assert len(re.findall(r">foo<", page)) == 6_000


def test_a_reader_resumes_inside_a_long_fence() -> None:
    text = LONG["fence"]
    stream = Stream()
    blocks = stream.feed(text[:40_000]).blocks

    later = Stream.resume(text, blocks[-1].end_chars)

    rest = later.feed("").blocks + later.finish()
    assert "".join(b.html for b in blocks + rest) == render(text)


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_what_is_parsed_at_each_step_is_bounded(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[int] = []
    parse = markup.blocks

    def watched(source: str) -> list[markup.Block]:
        parsed.append(len(source))
        return parse(source)

    monkeypatch.setattr(markup, "blocks", watched)
    stream = Stream()

    for start in range(0, len(text), 2_000):
        stream.feed(text[start : start + 2_000])

    assert max(parsed) <= BLOCK_LIMIT_CHARS + 200


@pytest.mark.parametrize(
    "text", ["[" * 16_000, "[[](" * 4_000, "![" * 8_000, "[" * 100 + "*a " * 5_000]
)
def test_a_thousand_open_brackets_do_not_hold_the_worker(text: str) -> None:
    assert render(text).count("[") == text.count("[")


def test_a_tail_repaints_less_often_as_it_grows() -> None:
    stream = Stream()
    stream.feed("word " * 1_000)
    before = stream.feed("x").tail

    assert stream.feed("y").tail is before
    assert stream.feed("z " * 500).tail.endswith("z</p>\n")


def test_a_person_s_text_is_shown_as_written() -> None:
    html = render_user("a < b\n  **c** & 'd'")

    assert html == "a &lt; b\n  **c** &amp; &#x27;d&#x27;"
