"""Alerts, against a real HTTP server on loopback that also misbehaves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from pipelines import alert as module
from pipelines.alert import alert, message, post
from pipelines.errors import IncomingFault, UsageFault
from pipelines.home import Home
from pipelines.settings import load_settings

NIGHT = date(2011, 11, 1)
STOPPED = IncomingFault("orders 2011-10-31: truncated", "deliver it again, then run the night again")


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


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def told(home: Home, server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("NIGHTCART__ALERT__URL", server.url)
    return server


def test_what_stopped_a_night_is_told(told: Server) -> None:
    assert alert("nightly", "validate", NIGHT, STOPPED)
    (sent,) = told.received
    assert sent == {
        "what": "nightly",
        "as_of": "2011-11-01",
        "step": "validate",
        "message": "orders 2011-10-31: truncated",
        "what_to_do": "deliver it again, then run the night again",
        "text": "Nightcart: nightly of 2011-11-01 failed at validate: orders 2011-10-31: truncated "
        "What to do: deliver it again, then run the night again",
    }


def test_an_error_of_others_is_not_quoted(told: Server) -> None:
    """It could quote a row, and a row can hold a person."""
    alert("nightly", "load", NIGHT, ValueError("cannot convert jane@shop.example"))
    alert("nightly", "load", NIGHT, "jane@shop.example")
    assert "jane" not in json.dumps(told.received)
    assert told.received[0]["message"] == "ValueError"


def test_the_cause_of_airflows_error_counts() -> None:
    wrapped = RuntimeError("AirflowFailException")
    wrapped.__cause__ = STOPPED
    assert message("nightly", "validate", NIGHT, wrapped) == message("nightly", "validate", NIGHT, STOPPED)
    assert len(message("nightly", "a", NIGHT, IncomingFault("x" * 9999))["message"]) < 700


@pytest.mark.parametrize("manner", ["fails", "refuses", "hangs up", "talks nonsense", "drips", "says nothing"])
def test_a_failing_alert_fails_nothing(told: Server, monkeypatch: pytest.MonkeyPatch, manner: str) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.3)
    monkeypatch.setattr(module, "MOST_SECONDS", 0.6)
    told.manner = manner
    start = time.monotonic()
    assert not alert("nightly", "audit", NIGHT, STOPPED)
    assert time.monotonic() - start < 1.5
    assert len(told.received) == 1


def test_nobody_there_and_nobody_named(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    assert not alert("nightly", "audit", NIGHT, STOPPED)
    assert not post("http://127.0.0.1:9/hook?token=secret", {})
    assert "secret" not in caplog.text


def test_only_web_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTCART__ALERT__URL", "file:///etc/passwd")
    with pytest.raises(UsageFault, match=r"alert\.url"):
        load_settings()
