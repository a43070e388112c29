"""The key that signs cookies and tokens."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from oracle_site import env


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
    path = data_dir / "secret_key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text(encoding="ascii")
