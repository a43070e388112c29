"""Proof that a webhook's message is ours and fresh: pure.

The scheme is Stripe's: an HMAC over the moment and the body, in one header.
"""

import hashlib
import hmac


def header(*, body: bytes, secret: str, at: int) -> str:
    """Return `t=<Unix seconds>,v1=<hex of HMAC-SHA256 over "t.body">`."""
    signed = f"{at}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
