"""The texts of the scripted brain, each computed from its arguments alone."""

import hashlib
import re

_WORDS = """
amber anchor autumn basin beacon birch bridge canyon cedar cinder cloud coral cradle
current dawn delta drift ember falcon fern field flint forest garden glacier granite
harbor hazel heron hollow island ivory juniper kestrel lantern laurel ledge lichen
maple marble meadow mirror moss mountain north oak ocean orchard otter pebble pine
prairie quartz raven reed ridge river saffron shore silver sparrow spruce stone
thunder tide timber valley violet willow winter wren
"""
_LEXICON = _WORDS.split()

MARKDOWN = """\
# A rich answer

Some *emphasis*, some **strength**, ~~a mistake~~ and `inline code`.

1. first
2. second
   - nested

> A quotation with a [link](https://example.org/page?a=1&b=2).

| name | value |
|------|------:|
| one  |     1 |
| two  |     2 |

```python
def greet(name: str) -> str:
    return f"<b>hello</b> {name} & all"
```

<script>alert("never runs")</script> ![no image](https://example.org/pixel.png)

The end.
"""

MULTILINGUAL = "Zażółć gęślą jaźń. Съешь же ещё этих булок. 日本語のテキスト。 🙂🚀 fin"


def answer(text: str, *, words: int = 20) -> str:
    """Return the default answer to a user's message (see `directives.question`).

    It has exactly `words` words, the second of which identifies the message, so that a
    checker can recompute it.
    """
    return " ".join(answer_words(text, words))


def answer_words(text: str, count: int) -> list[str]:
    """Return the words of `answer`."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8)
    state = int.from_bytes(digest.digest(), "big")
    words = ["Answer", digest.hexdigest()]
    while len(words) < count:
        # Knuth's MMIX generator; its high bits are the random ones.
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        words.append(_LEXICON[(state >> 33) % len(_LEXICON)])
    return words[:count]


def long_text(characters: int) -> str:
    """Return a text of exactly so many characters, in lines of numbered words."""
    lines: list[str] = []
    length = 0
    while length < characters:
        lines.append(f"Line {len(lines)}: {' '.join(_LEXICON[:10])}.\n")
        length += len(lines[-1])
    return "".join(lines)[:characters]


def word_chunks(text: str, words_per_chunk: int) -> list[str]:
    """Cut a text after every so many words; the chunks join to the same text."""
    words = re.findall(r"\s*\S+", text)
    step = max(1, words_per_chunk)
    starts = range(0, len(words), step)
    chunks = ["".join(words[start : start + step]) for start in starts]
    tail = text[sum(map(len, words)) :]
    return [*chunks[:-1], chunks[-1] + tail] if chunks else [text]
