"""Which bucket of a flag a subject falls into, the same one every time."""

import hashlib

BUCKETS = 10_000


def bucket(*, flag_key: str, targeting_key: str, salt: str) -> int:
    """Place a subject on the 0–9999 scale.

    The flag's key and its salt enter the hash, so two flags do not share their first
    1 %, and a new salt deals anew. BLAKE2b as in RFC 7693, its first 64 bits scaled
    down: of 10,000 buckets the largest is too large by less than 1 in 10¹⁵.
    """
    text = f"{flag_key}\x1f{salt}\x1f{targeting_key}".encode()
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return int.from_bytes(digest) * BUCKETS >> 64
