"""What the tests of this folder mistreat: sites of their own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests import servers
from tests.faults import killing
from tests.faults.api import Api


class NewSite(Protocol):
    """Starts a site that ends with the test."""

    def __call__(self, folder: Path | None = None, **settings: str) -> servers.Site:
        """Start it on the data of `folder`; None: on a fresh database."""
        ...


@pytest.fixture
def new_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewSite]:
    with ExitStack() as stack:

        def start(folder: Path | None = None, **settings: str) -> servers.Site:
            folder = folder or tmp_path_factory.mktemp("site")
            return stack.enter_context(
                servers.site(folder, gemini_url=local_gemini, workers=2, **settings)
            )

        yield start


@pytest.fixture(scope="session")
def long_suffering_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    folder = tmp_path_factory.mktemp("long_suffering")
    with servers.site(folder, gemini_url=local_gemini) as running:
        yield running


@pytest.fixture
async def hardy_site(long_suffering_site: servers.Site) -> servers.Site:
    """A site that outlives what is done to it; all its processes serve."""
    await killing.all_serve(long_suffering_site)
    return long_suffering_site


@pytest.fixture
async def client(hardy_site: servers.Site) -> AsyncIterator[Api]:
    """A client of the hardy site."""
    talking = Api(hardy_site.url)
    async with talking.http:
        yield talking
