"""Remembers which prompt prefixes were seen, to emulate implicit caching."""

from collections.abc import Sequence
from itertools import accumulate, islice


class PrefixMemory:
    """A bounded memory of prefixes, the least recently used forgotten first.

    One entry per prefix: its hash. A request touches its longest prefix first, so a
    prefix always outlives every longer one and the search may halve the range.
    """

    def __init__(self, *, capacity: int = 400_000) -> None:
        self._capacity = capacity
        self._seen: dict[int, None] = {}

    def common_tokens(self, model: str, tokens: Sequence[str]) -> int:
        """Return how many leading tokens an earlier request of the model shared.

        Remembers this request as well.
        """
        hashes = list(accumulate(tokens, _link, initial=hash(model)))[1:]
        shared = self._search(hashes)
        for prefix in reversed(hashes):
            self._seen.pop(prefix, None)
            self._seen[prefix] = None
        # All at once: each look for the first one passes the places of those that went.
        surplus = max(0, len(self._seen) - self._capacity)
        for prefix in list(islice(self._seen, surplus)):
            del self._seen[prefix]
        return shared

    def _search(self, hashes: Sequence[int]) -> int:
        low, high = 0, len(hashes)
        while low < high:
            middle = (low + high + 1) // 2
            if hashes[middle - 1] in self._seen:
                low = middle
            else:
                high = middle - 1
        return low


def _link(prefix: int, token: str) -> int:
    return hash((prefix, token))
