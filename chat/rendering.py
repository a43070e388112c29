"""What was said, as safe HTML: at once for a page, block by block for a stream."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, Self

from django.utils.html import escape
from django.utils.safestring import SafeString

from chat import markup
from chat.markup import Block

BLOCK_LIMIT_CHARS = 16_000
"""A block longer than this is cut into pieces, so that no step costs more."""
_OPENER_LIMIT_CHARS = 200
_REPAINT_FREE_CHARS = 2_000
_REPAINT_SHARE = 24
_LINE_END = re.compile(r"\r\n|\n|\r(?!\n|\Z)")


class Closed(NamedTuple):
    """A block whose HTML is final."""

    html: SafeString
    end_chars: int
    """Source characters up to the end of this block: a place to resume from."""


class Step(NamedTuple):
    """What one step added: final blocks, and the HTML that stands behind them."""

    blocks: list[Closed]
    tail: SafeString


class _Piece(NamedTuple):
    """A stretch of source whose blocks can change no more."""

    blocks: list[Block]
    length_chars: int
    opener: str


def render(text: str) -> SafeString:
    """Return the HTML of a whole answer; equal to what its stream adds up to."""
    whole = _rendered if len(text) <= BLOCK_LIMIT_CHARS else _rendered.__wrapped__
    return whole(text)


def render_user(text: str) -> SafeString:
    """Return what a person wrote as it was written; the style keeps its lines."""
    return escape(markup.visible(markup.clean(text)))


class Stream:
    """Renders an answer as it grows, parsing only what is still open.

    All but the last top-level block of the complete lines are closed: no later text
    can change them. The boundaries depend on the text alone, never on how it was
    cut, so any process finds the same ones. Not safe for two threads at once.
    """

    def __init__(self) -> None:
        self.closed_chars = 0
        self._tail = ""
        self._opener = ""
        self._painted_chars = 0
        self._painted = SafeString()

    @classmethod
    def resume(cls, text: str, closed_chars: int) -> Self:
        """Return a stream of `text` that has already given its first blocks.

        The next `feed` gives what follows `closed_chars`.

        Raises: ValueError when no block ends there: start again from 0.
        """
        stream = cls()
        stream._tail = markup.clean(text)
        closing = stream._close()
        while stream.closed_chars < closed_chars and next(closing, None):
            pass
        if stream.closed_chars != closed_chars:
            raise ValueError(f"No block ends at {closed_chars} characters.")
        return stream

    def feed(self, delta: str) -> Step:
        """Add text (may be empty) and return what can be shown by now.

        The tail of a long open block is painted anew only once it has grown by a
        24th, which keeps the cost of the whole in proportion to its length.
        """
        closed = self._add(delta)
        grown = len(self._tail) - self._painted_chars
        if closed or grown > self._painted_share():
            self._painted_chars = len(self._tail)
            blocks = markup.blocks(self._opener + self._tail)
            self._painted = _html(blocks, is_final=False)
        return Step(closed, self._painted)

    def finish(self, delta: str = "") -> list[Closed]:
        """Add the last text, close what is open, and return all that is new.

        The stream is used up by this: there is nothing to feed any more.
        """
        closed = self._add(delta)
        if self._tail:
            blocks = markup.blocks(self._opener + self._tail)
            self.closed_chars += len(self._tail)
            closed.append(Closed(_html(blocks, is_final=True), self.closed_chars))
            self._tail = ""
        return closed

    def _add(self, delta: str) -> list[Closed]:
        self._tail += markup.clean(delta)
        return [
            Closed(_html(piece.blocks, is_final=True), self.closed_chars)
            for piece in self._close()
        ]

    def _close(self) -> Iterator[_Piece]:
        """Move past the closed blocks one by one; `closed_chars` keeps up."""
        while pieces := _pieces(self._opener, self._tail[:BLOCK_LIMIT_CHARS]):
            for piece in pieces:
                self._tail = self._tail[piece.length_chars :]
                self._opener = piece.opener
                self.closed_chars += piece.length_chars
                yield piece

    def _painted_share(self) -> int:
        if self._painted_chars < _REPAINT_FREE_CHARS:
            return 0
        return self._painted_chars // _REPAINT_SHARE


@lru_cache(maxsize=256)
def _rendered(text: str) -> SafeString:
    return SafeString("".join(block.html for block in Stream().finish(text)))


def _pieces(opener: str, window: str) -> list[_Piece]:
    """Return the closed pieces of a window of source; none while its first block is
    open and has room to grow."""
    lines = [0, *(found.end() for found in _LINE_END.finditer(opener + window))]
    source = (opener + window)[: lines[-1]]
    blocks = markup.blocks(source)
    next_lines = [*(block.first_line for block in blocks[1:]), len(lines) - 1]
    ends = [_end(source, lines, line) - len(opener) for line in next_lines]
    if blocks and not _is_ended(blocks[-1], source, lines):
        ends.pop()
    if ends and blocks:
        starts = [0, *ends]
        return [
            _Piece([block], end - start, "")
            for block, start, end in zip(blocks, starts, ends, strict=False)
        ]
    if len(window) < BLOCK_LIMIT_CHARS:
        return []
    if len(source) <= len(opener):
        return [_Piece(markup.blocks(opener + window), len(window), opener)]
    carried = _open_fence(blocks[0], source, lines) if blocks else ""
    return [_Piece(blocks, len(source) - len(opener), carried)]


def _end(source: str, lines: list[int], line: int) -> int:
    """Return where the block before a line ends, blank lines not counted."""
    while line and not source[lines[line - 1] : lines[line]].strip(" \t\r\n"):
        line -= 1
    return lines[line]


def _is_ended(block: Block, source: str, lines: list[int]) -> bool:
    """Tell whether nothing that follows can belong to the block any more."""
    match block.tokens[0].type:
        case "heading_open" | "hr":
            return True
        case "fence":
            return not _has_open_fence(block)
        case "paragraph_open" | "table_open" | "blockquote_open":
            return _end(source, lines, len(lines) - 1) < lines[-1]
    return False


def _has_open_fence(block: Block) -> bool:
    token = block.tokens[0]
    first, end = token.map or (0, 0)
    return token.type == "fence" and token.content.count("\n") != end - first - 2


def _open_fence(block: Block, source: str, lines: list[int]) -> str:
    """Return the line that opened a fence still open at the end, else ""."""
    opener = source[lines[block.first_line] : lines[block.first_line + 1]]
    is_short = len(opener) <= _OPENER_LIMIT_CHARS
    return opener if is_short and _has_open_fence(block) else ""


def _html(blocks: list[Block], *, is_final: bool) -> SafeString:
    """Return the HTML of some blocks, each sanitised by itself."""
    return SafeString("".join(markup.to_html(b, is_final=is_final) for b in blocks))
