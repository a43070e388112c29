"""The product's settings, with a system instruction of 600 words.

The product's own have 17 to 40: the arithmetic that is measured against has 600.
"""

from dataclasses import replace

from chat import personalities
from chat.local_gemini.prose import answer
from oracle_site.settings import *  # noqa: F403 - another settings module's whole

_WORDS = 600

personalities.PERSONALITIES[personalities.DEFAULT] = replace(
    personalities.PERSONALITIES[personalities.DEFAULT],
    instruction=answer("a long instruction", words=_WORDS),
)
