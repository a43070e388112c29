"""Everything that must be true before the first process starts; safe to repeat."""

import os
import secrets

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections

from .errors import NotPrepared

ADMIN_NAME = "admin"
_PASSWORD_BYTES = 12


def load_settings() -> None:
    """Read the settings and the apps.

    Raises:
        NotPrepared: a setting is bad or the data folder can't be made.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oracle_site.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise NotPrepared(str(error)) from error
    except OSError as error:
        raise NotPrepared(
            f"{error.filename}: {error.strerror}. ORACLE_DATA_DIR must name a folder "
            f"that you may write to."
        ) from error


def prepare_database() -> None:
    """Bring the tables up to date.

    Raises:
        NotPrepared: the database can't be reached or refuses a migration.
    """
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except (DatabaseError, CommandError) as error:
        raise NotPrepared(f"The database is not ready: {error}") from error


def collect_static_files() -> None:
    """Put the static files where the web server looks for them."""
    call_command("collectstatic", interactive=False, verbosity=0)


def make_admin() -> str | None:
    """Make the first administrator; return the password, or None if there is one."""
    from django.contrib.auth import get_user_model

    users = get_user_model()._default_manager
    if users.filter(is_superuser=True).exists():
        return None
    if users.filter(username=ADMIN_NAME).exists():
        return None
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    get_user_model().objects.create_superuser(ADMIN_NAME, password=password)
    return password


def leave_database() -> None:
    """Close the connections: the launcher itself never needs them again."""
    connections.close_all()
