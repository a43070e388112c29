"""`python -m oracle_site.launcher`: what `make run` does once all is installed."""

import os
import signal
import sys

from django.core.exceptions import ImproperlyConfigured

from oracle_site import env

from . import claims, console, preparation
from .errors import LaunchError
from .site import Interrupted, Site


def main() -> int:
    """Run the site; return 0 after Ctrl-C or SIGTERM, 1 after trouble."""
    try:
        _run()
    except (KeyboardInterrupt, Interrupted):
        return 0
    except (LaunchError, ImproperlyConfigured) as error:
        console.say(f"\n{error}")
        return 1
    return 0


def _run() -> None:
    preparation.load_settings()
    from django.conf import settings

    host = env.text("HOST", "127.0.0.1")
    port = env.integer("PORT", default=8000, minimum=1, maximum=65_535)
    env.integer("WEB_WORKERS", default=2, minimum=1, maximum=64)
    brains = ("auto", "smollm2", "scripted")
    brain = env.choice("LOCAL_GEMINI_BRAIN", default="auto", of=brains)
    with claims.data_folder(settings.DATA_DIR.resolve(), port=port):
        claims.require_port(port, host=host)
        _prepare()
        _serve(Site.here(host=host, port=port, brain=brain))


def _prepare() -> None:
    if os.geteuid() == 0:
        console.say("Running as root; an ordinary user is enough.")
    console.say("Preparing the database and the static files …")
    preparation.prepare_database()
    password = preparation.make_admin()
    if password is not None:
        console.say(
            f"\nAdministrator made. It is shown only now:\n"
            f"  user {preparation.ADMIN_NAME}, password {password}\n"
        )
    preparation.collect_static_files()
    preparation.leave_database()


def _serve(site: Site) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: site.interrupt())
    console.say("Starting …")
    try:
        site.bring_up()
        site.announce()
        site.stay()
    finally:
        console.say("\nStopping …")
        site.bring_down()


if __name__ == "__main__":
    sys.exit(main())
