"""Receivers that misbehave, on this machine: an HTTP server and a mail server that remember."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

Answer = Callable[["Posted"], None]


@dataclass
class Heard:
    """What a server has heard: headers and body of each message that it took."""

    messages: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @property
    def keys(self) -> list[str]:
        return [headers["Idempotency-Key"] for headers, _ in self.messages]

    @property
    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.messages]


class Posted(BaseHTTPRequestHandler):
    """One request; `answers` says what to do with the first, the second, …; the last one stays."""

    heard: Heard
    answers: list[Answer]

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer(self)

    def take(self) -> None:
        self.heard.messages.append((dict(self.headers), self.body))

    def status(self, code: int, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """A test has nothing to print."""


def takes(request: Posted) -> None:
    request.take()
    request.status(200)


def refuses(code: int, **headers: str) -> Answer:
    return lambda request: request.status(code, **headers)


def hangs(_request: Posted) -> None:
    time.sleep(2)


def resets(request: Posted) -> None:
    """The connection ends with a reset in the middle of the answer."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()


def loses_its_answer(request: Posted) -> None:
    request.take()
    resets(request)


def takes_late(request: Posted) -> None:
    """Longer than anybody waits for the whole answer."""
    request.take()
    time.sleep(1.5)
    request.status(200)


def drips(request: Posted) -> None:
    """A byte of its answer at a time, so that no single wait is long."""
    for _ in range(60):
        request.wfile.write(b"H")
        time.sleep(0.05)


@contextmanager
def http_server(*answers: Answer) -> Iterator[Heard]:
    heard = Heard()
    handler = type("Handler", (Posted,), {"heard": heard, "answers": list(answers)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.daemon_threads = True
    heard.url = f"http://localhost:{server.server_port}/hooks/hunter2"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Mailbox:
    """What the mail server took; `refused` recipients get a 550."""

    mails: list[Any] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    url: str = ""

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:  # noqa: N802
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802
        self.mails.append((list(envelope.rcpt_tos), envelope.content))
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # As most servers are: an address of other letters than ours is none to them.
    controller = Controller(box, hostname="127.0.0.1", port=port, enable_SMTPUTF8=False)
    controller.start()
    box.url = f"smtp://127.0.0.1:{port}"
    try:
        yield box
    finally:
        controller.stop()
