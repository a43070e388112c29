"""A running server and Google's own client for it."""

from collections.abc import Iterator

import pytest
from google import genai
from google.genai import types

from tests import servers

MODEL = "gemini-3.8-flash"


@pytest.fixture(scope="package")
def server() -> Iterator[str]:
    """The base URL of a server with the scripted brain."""
    with servers.local_gemini() as url:
        yield url


@pytest.fixture(params=["v1", "v1beta"])
def client(server: str, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    """Google's client, once for each version of the API."""
    with connected(server, version=request.param) as client:
        yield client


@pytest.fixture
def beta(server: str) -> Iterator[genai.Client]:
    """Google's client where the version does not matter."""
    with connected(server) as client:
        yield client


def connected(
    url: str,
    *,
    key: str = "test-key",
    version: str = "v1beta",
    timeout_ms: int = 10_000,
) -> genai.Client:
    """Return Google's client for this server."""
    return genai.Client(
        api_key=key,
        http_options=types.HttpOptions(
            base_url=url,
            api_version=version,
            timeout=timeout_ms,
            retry_options=types.HttpRetryOptions(attempts=1),
        ),
    )
