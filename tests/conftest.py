"""Fixtures for every test."""

from collections.abc import Generator, Iterator
from importlib import import_module

import pytest
import pytest_django
from django.apps import apps
from django.db import connection
from hypothesis import HealthCheck, settings

from flags import runtime
from tests import servers

_LOG_LINES = 60

# How long an example takes is the machine's, and no property of what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    """Show beside a failure what the sites that ran then had said last."""
    report = yield
    if report.failed:
        for each in servers.running_sites:
            said = each.log().splitlines()[-_LOG_LINES:]
            report.sections.append((f"log of {each.url}", "\n".join(said)))
    return report


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    """Let no test read the settings that another one left in this process."""
    runtime.forget()
    yield
    runtime.forget()


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> None:
    """Let tests on PostgreSQL empty the tables that waffle's own flags would have.

    Ours take their place, so Django does not know of them, but they refer to users,
    and PostgreSQL empties no table without those that refer to it.
    """
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "DROP TABLE waffle_flag_groups, waffle_flag_users, waffle_flag"
            )


@pytest.fixture
def groups(db: None) -> None:
    """The groups as the migrations make them, whatever a test before emptied."""
    for migration, make in (("0002_groups", "make_groups"), ("0003_watchers", "grant")):
        module = import_module(f"oracle_site.migrations.{migration}")
        getattr(module, make)(apps, connection.schema_editor())


@pytest.fixture(scope="session")
def local_gemini() -> Iterator[str]:
    """The base URL of a scripted local Gemini."""
    with servers.local_gemini() as url:
        yield url


@pytest.fixture(scope="session")
def site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """The whole web server with two workers, and the scripted local Gemini."""
    with servers.site(
        tmp_path_factory.mktemp("site"), gemini_url=local_gemini
    ) as running:
        yield running


@pytest.fixture(scope="session")
def live_site(site: servers.Site) -> str:
    """The address of the running web server."""
    return site.url
