"""Staff in front of the alert pages, and what they read there."""

import html
import re
from typing import Any


def words(response: Any) -> str:
    text = html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))
    return re.sub(r"\s+", " ", text)
