"""The product's settings, with SQLite as Django sets it up by itself."""

from oracle_site.settings import *  # noqa: F403 - another settings module's whole
from oracle_site.settings import DATA_DIR

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "oracle.sqlite3",
    }
}
