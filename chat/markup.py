"""Markdown in, safe HTML out, one top-level block at a time.

The order is fixed: the parser escapes (raw HTML is off), the renderer builds, the
sanitiser has the last word. Nothing may touch the HTML after it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore, block, inline, normalize, text_join
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

# Named rather than everything Pygments knows: each lexer is a set of regular
# expressions that will run on hostile text.
_LANGUAGE_NAMES = """
bash c c++ console cpp csharp c# css diff dockerfile go golang graphql haskell html http
ini java javascript js json jsx kotlin latex lua make makefile markdown md nginx objc
perl php powershell ps1 python py python3 r rb rs ruby rust sass scala scss sh shell sql
swift tex toml ts tsx typescript xml yaml yml zsh
"""
LANGUAGES = frozenset(_LANGUAGE_NAMES.split())
_TAG_NAMES = """
a blockquote br code del div em h3 h4 h5 h6 hr li ol p pre s span strong table tbody td
th thead tr ul
"""
_ALIGNED = {"align-left", "align-center", "align-right"}
_SANITISER = nh3.Cleaner(
    tags=set(_TAG_NAMES.split()),
    clean_content_tags=set(),
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
    tag_attribute_values={"pre": {"tabindex": {"0"}}, "div": {"tabindex": {"0"}}},
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    allowed_classes={
        "div": {"code", "code-head", "table"},
        "span": {"code-language", "link-host", *filter(None, STANDARD_TYPES.values())},
        "td": _ALIGNED,
        "th": _ALIGNED,
    },
)
# Controls, bidirectional overrides and isolates, invisible tag characters: they
# make a text read as something that it is not.
_UNSEEN = dict.fromkeys(
    [
        *(code for code in range(0x20) if code not in (0x09, 0x0A)),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xE0000, 0xE0080),
    ]
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_HOST_LIKE = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}", re.UNICODE)
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_LANGUAGE = re.compile(r"[\w+#.-]{1,24}")
_BRACKET_LIMIT = 100
"""The link parser's time grows with the square of the brackets in one paragraph."""


@dataclass(frozen=True, slots=True)
class Block:
    """One top-level block: its tokens and the first line of it in the source."""

    first_line: int
    tokens: Sequence[Token]


def clean(text: str) -> str:
    """Replace lone surrogates, which no encoder takes; the length stays."""
    return _SURROGATE.sub("\ufffd", text)


def visible(text: str) -> str:
    """Drop control, bidirectional override and tag characters."""
    return text.translate(_UNSEEN)


def blocks(source: str) -> list[Block]:
    """Split markdown into its top-level blocks (block structure only, so cheap)."""
    state = StateCore(source, _MARKDOWN, {})
    normalize(state)
    block(state)
    found: list[Block] = []
    start = 0
    for index, token in enumerate(state.tokens):
        if token.level == 0 and token.nesting <= 0:
            tokens = state.tokens[start : index + 1]
            first_line = (tokens[0].map or [0])[0]
            found.append(Block(first_line, tokens))
            start = index + 1
    return found


def to_html(found: Block, *, is_final: bool) -> str:
    """Return the block's sanitised HTML; code is coloured only when it is final."""
    state = StateCore("", _MARKDOWN, {"is_final": is_final}, list(found.tokens))
    for token in state.tokens:
        if token.type == "inline" and token.content.count("[") > _BRACKET_LIMIT:
            token.content = token.content.replace("[", "\\[")
    inline(state)
    text_join(state)
    for token in state.tokens:
        _adapt(token)
    html = _MARKDOWN.renderer.render(state.tokens, _MARKDOWN.options, state.env)
    return _SANITISER.clean(visible(html))


def _adapt(token: Token) -> None:
    """Fit a token to the page: headings below the page's own, no inline style."""
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    elif style := token.attrs.pop("style", None):
        token.attrs["class"] = f"align-{str(style).rpartition(':')[2]}"
    elif token.children:
        token.children = _links(token.children)


def _links(children: Sequence[Token]) -> list[Token]:
    """Turn images into links and name the host where a link's text hides it."""
    adapted: list[Token] = []
    href: str | None = None
    text = ""
    for token in children:
        if token.type == "link_open":
            href, text = str(token.attrs["href"]), ""
        elif token.type == "image":
            alt = _text(token.children or [])
            text += alt
            adapted += _image(token, alt, is_inside_link=href is not None)
            continue
        elif token.type == "link_close" and href is not None:
            adapted.append(token)
            if host := _hidden_host(text, href):
                adapted.append(Token("link_host", "", 0, content=host))
            href = None
            continue
        elif token.type in ("text", "code_inline"):
            text += token.content
        adapted.append(token)
    return adapted


def _text(children: Sequence[Token]) -> str:
    return "".join(
        _text(token.children) if token.children else token.content for token in children
    )


def _image(token: Token, alt: str, *, is_inside_link: bool) -> list[Token]:
    """Return what stands for an image, which is never loaded: a link to it."""
    source = str(token.attrs["src"])
    words = Token("text", "", 0, content=alt or _host(source))
    if is_inside_link:
        return [words]
    opened = Token("link_open", "a", 1, attrs={"href": source})
    found = [opened, words, Token("link_close", "a", -1)]
    if host := _hidden_host(words.content, source):
        found.append(Token("link_host", "", 0, content=host))
    return found


def _host(url: str) -> str:
    """Return where a link goes: its host, or the address of a mailto."""
    if url.startswith("mailto:"):
        return url.removeprefix("mailto:").partition("?")[0]
    return urlsplit(url).hostname or url


def _hidden_host(text: str, href: str) -> str:
    """Return the host when the text looks like another one, else ""."""
    host = _host(href)
    named = {name.lower() for name in _HOST_LIKE.findall(_INVISIBLE.sub("", text))}
    has_user = "@" in urlsplit(href).netloc
    is_plain = named <= {host, host.removeprefix("www."), host.rpartition("@")[2]}
    return "" if is_plain and not has_user else host


def _is_allowed_link(url: str) -> bool:
    """Allow absolute web and mail links only: never one into this site."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return bool(parts.path)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


@lru_cache(maxsize=len(LANGUAGES))
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False, ensurenl=False)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(
    self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    """Render a fenced or indented code block."""
    token = tokens[index]
    found = _LANGUAGE.match(token.info.strip())
    language = found[0] if found else ""
    if env["is_final"] and language.lower() in LANGUAGES:
        code = highlight(token.content, _lexer(language.lower()), _FORMATTER)
    else:
        code = _escape(token.content)
    head = f'<span class="code-language">{_escape(language)}</span>' if language else ""
    return (
        f'<div class="code"><div class="code-head">{head}</div>'
        f'<pre tabindex="0"><code>{code}</code></pre></div>\n'
    )


def _link_host(
    self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    return f' <span class="link-host">({_escape(tokens[index].content)})</span>'


def _table_open(*_: Any) -> str:
    return '<div class="table" tabindex="0"><table>\n'


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def _parser() -> MarkdownIt:
    """Return CommonMark with tables and strikethrough, without HTML.

    Reference definitions are off: one at the end would change blocks that the
    reader has long seen.
    """
    options = {"html": False, "breaks": True, "xhtmlOut": False, "maxNesting": 100}
    parser = MarkdownIt("commonmark", options)
    parser.enable(["table", "strikethrough"])
    parser.disable(["reference", "html_block", "html_inline"])
    parser.validateLink = _is_allowed_link  # type: ignore[method-assign]
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("code_block", _code)
    parser.add_render_rule("link_host", _link_host)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    # Left to itself it compiles its rules at first use, without a lock, into a table
    # that others read meanwhile: two first texts in two threads would be spoiled.
    for ruler in (
        *(parser.core.ruler, parser.block.ruler),
        *(parser.inline.ruler, parser.inline.ruler2),
    ):
        ruler.getRules("")
    return parser


_FORMATTER = HtmlFormatter(nowrap=True)
_MARKDOWN = _parser()
