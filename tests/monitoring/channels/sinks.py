"""Servers that take what the site sends: mail and web, well-behaved or not."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer


@dataclass
class Posted:
    """A request that a web sink took."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebSink:
    """What a web sink has taken, and where it is."""

    url: str
    posted: list[Posted] = field(default_factory=list)


@dataclass
class MailSink:
    """What a mail sink has taken, to whom, and where it is."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)


Answer = Callable[[BaseHTTPRequestHandler], None]


def ok(request: BaseHTTPRequestHandler) -> None:
    """Take it."""
    request.send_response(200)
    request.send_header("Content-Length", "2")
    request.end_headers()
    request.wfile.write(b"ok")


def saying(status: int, body: str = "", **headers: str) -> Answer:
    """Answer with this status; `Location` goes where a redirect shall lead."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body.encode())))
        request.end_headers()
        request.wfile.write(body.encode())

    return answer


def dripping(*, in_headers: bool, for_s: float = 20.0) -> Answer:
    """Answer a byte every tenth of a second: never silent, never done."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        begin = b"HTTP/1.1 200 OK\r\n"
        request.wfile.write(begin if in_headers else begin + b"\r\n")
        end = time.monotonic() + for_s
        with contextlib.suppress(OSError):
            while time.monotonic() < end:
                request.wfile.write(b"X")
                time.sleep(0.1)

    return answer


@contextlib.contextmanager
def web(answer: Answer = ok) -> Iterator[WebSink]:
    """Run a web server that keeps what is posted to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sink.posted.append(Posted(self.path, dict(self.headers.items()), body))
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        sink = WebSink(f"http://127.0.0.1:{server.server_address[1]}/hook")
        with _serving(server):
            yield sink


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """Listen, and never say a word; yield `host:port`."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextlib.contextmanager
def mail(*, refusal: str = "", of: str = "") -> Iterator[MailSink]:
    """Run a mail server that keeps what it is sent, or refuses with this line.

    It refuses addresses that have `of` in them.
    """

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 sink")
            recipients: list[str] = []
            for line in iter(self.rfile.readline, b""):
                word, _, rest = line.decode().strip().partition(" ")
                match word.upper():
                    case "RCPT":
                        self._say(_received(rest, recipients, refusal, of))
                    case "DATA":
                        self._take(recipients)
                    case "QUIT":
                        self._say("221 bye")
                        return
                    case _:
                        self._say("250 ok")

        def _take(self, recipients: list[str]) -> None:
            self._say("354 go on")
            lines = iter(self.rfile.readline, b".\r\n")
            data = b"".join(line.removeprefix(b".") for line in lines)
            parsed = message_from_bytes(data, policy=policy.default)
            sink.mails.append(parsed)
            sink.recipients.append(recipients)
            self._say("250 taken")

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        sink = MailSink(server.server_address[1])
        with _serving(server):
            yield sink


def _received(rest: str, recipients: list[str], refusal: str, of: str) -> str:
    """Take a recipient unless it is to be refused; return what the server says."""
    address = rest.partition("<")[2].partition(">")[0]
    if refusal and of in address:
        return refusal
    recipients.append(address)
    return "250 ok"


@contextlib.contextmanager
def _serving(server: ThreadingTCPServer | ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
