"""A real HTTP server on loopback that alerts are posted to, and that also misbehaves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from pipelines.home import Home


class Server(ThreadingHTTPServer):
    """A server that keeps what it was sent, and behaves as it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[dict[str, Any]] = []
        self.manner = "takes it"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?token=secret"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        manner = self.server.manner
        if manner == "hangs up":
            self.connection.close()
        elif manner == "drips":
            self.connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(40):
                self.connection.sendall(b"x")
                time.sleep(0.05)
        elif manner == "says nothing":
            time.sleep(2)
        elif manner == "talks nonsense":
            self.connection.sendall(b"\x00\x01 nonsense \r\n\r\n")
        else:
            self.send_response({"takes it": 200, "fails": 500, "refuses": 403}[manner])
            self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@contextmanager
def webhook() -> Iterator[Server]:
    """A server that listens within the block."""
    server = Server()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def telling(home: Home, server: Server) -> Home:
    """The home with the server as its `alert.url`."""
    told_to = home.settings.alert.model_copy(update={"url": server.url})
    return Home(home.places, home.settings.model_copy(update={"alert": told_to}))
