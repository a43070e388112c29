"""Elements of XML as text, whatever is in them."""

import re
from html import escape

# What XML 1.0 does not allow, even escaped.
_FORBIDDEN = re.compile(r"[^\t\n\r -\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


class Svg(str):
    """Markup that may stand in a page as it is; a template does not escape it."""

    __slots__ = ()

    def __html__(self) -> "Svg":
        """Say so, in the way that Django and others ask for."""
        return self


def tag(name: str, content: str = "", /, **attributes: object) -> str:
    """Return an element; `content` is markup, the attributes' values are any text.

    `class_` is `class`, and `aria_label` is `aria-label`. None leaves one out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{plain(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{content}</{name}>" if content else f"<{name}{given}/>"


def plain(text: object) -> str:
    """Return any text as markup that shows it."""
    return escape(_FORBIDDEN.sub("\ufffd", str(text)))


def at(number: float) -> str:
    """Return a coordinate, short: a tenth of a unit is less than a pixel."""
    return f"{number:.1f}".removesuffix(".0")
