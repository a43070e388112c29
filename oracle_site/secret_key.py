"""The key that signs cookies and tokens."""

import fcntl
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from oracle_site import env, private_files


def find(data_dir: Path, *, is_production: bool) -> str:
    """Return SECRET_KEY; outside production one is made once in the data folder.

    Raises: ImproperlyConfigured in production without one.
    """
    if key := env.secret("SECRET_KEY"):
        return key
    if is_production:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set: production needs one of 50 random characters "
            "(SECRET_KEY or SECRET_KEY_FILE)."
        )
    with open(
        data_dir / "secret_key", "a+", encoding="ascii", opener=private_files.opener
    ) as file:
        # Processes that start together: the second waits for the first one's key.
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if key := file.read():
            return key
        key = secrets.token_urlsafe(50)
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
        return key
