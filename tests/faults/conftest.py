"""What every test of this folder mistreats: a site of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeAlias

import pytest

from tests import servers

NewSite: TypeAlias = Callable[..., servers.Site]


@pytest.fixture
def new_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewSite]:
    """Start a site with settings of the test's choice; it ends with the test."""
    with ExitStack() as stack:

        def start(**settings: str) -> servers.Site:
            folder = tmp_path_factory.mktemp("site")
            return stack.enter_context(
                servers.site(folder, gemini_url=local_gemini, **settings)
            )

        yield start
