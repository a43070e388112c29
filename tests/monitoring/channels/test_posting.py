"""A request to a server that takes it, refuses it, hangs, drips or sends it away."""

import time

import pytest

from monitoring.channels import posting
from monitoring.channels.message import NotSent
from tests.monitoring.channels import sinks


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "DEADLINE_S", 0.6)


def _post(url: str) -> str:
    return posting.post(url, content=b"{}", headers={"X-Test": "1"})


def test_what_is_taken_says_by_whom() -> None:
    with sinks.web() as sink:
        said = _post(sink.url)

    assert said == "127.0.0.1 answered 200."
    assert (sink.posted[0].body, sink.posted[0].headers["X-Test"]) == (b"{}", "1")


@pytest.mark.parametrize("status", [300, 404, 500, 503])
def test_any_other_answer_is_a_failure_with_its_first_words(status: int) -> None:
    answer = sinks.saying(status, "went\nwrong " + "x" * 5000)
    with sinks.web(answer) as sink, pytest.raises(NotSent) as refused:
        _post(sink.url)

    assert str(refused.value).startswith(f"127.0.0.1 answered {status}: went wrong x")
    assert len(str(refused.value)) < 250


def test_no_secret_of_an_answer_is_kept() -> None:
    answer = sinks.saying(500, '{"error": "bad", "token": "canary-0123456789"}')
    with sinks.web(answer) as sink, pytest.raises(NotSent) as refused:
        _post(sink.url)

    assert "canary" not in str(refused.value)


def test_it_is_not_sent_elsewhere() -> None:
    with sinks.web() as elsewhere:
        answer = sinks.saying(307, Location=elsewhere.url)
        with sinks.web(answer) as sink, pytest.raises(NotSent, match="307"):
            _post(sink.url)

    assert elsewhere.posted == []


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("in_headers", [True, False])
def test_a_server_that_drips_is_left(in_headers: bool) -> None:
    began = time.monotonic()
    refused = pytest.raises(NotSent, match=r"not answered within 0\.6 s")
    with sinks.web(sinks.dripping(in_headers=in_headers)) as sink, refused:
        _post(sink.url)

    assert time.monotonic() - began < 10  # it goes on for 20 s


@pytest.mark.usefixtures("_impatient")
def test_a_server_that_says_nothing_is_left() -> None:
    with sinks.silent() as address, pytest.raises(NotSent, match="not answered"):
        _post(f"http://{address}/secret-path")


def test_a_server_that_is_not_there_is_named_without_its_path() -> None:
    with pytest.raises(NotSent) as refused:
        _post("http://user:pass-canary@127.0.0.1:1/secret-canary?key=canary")

    assert str(refused.value) == "127.0.0.1 can't be reached: ConnectError."


def test_an_endless_answer_is_read_only_at_its_beginning() -> None:
    with sinks.web(sinks.saying(200, "y" * 50_000_000)) as sink:
        assert _post(sink.url) == "127.0.0.1 answered 200."
