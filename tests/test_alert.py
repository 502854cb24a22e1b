"""Alerts, against a real HTTP server on loopback that also misbehaves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import date

import pytest

from pipelines import alert as module
from pipelines.alert import alert, message, post
from pipelines.errors import IncomingFault, UsageFault
from pipelines.home import Home
from pipelines.settings import load_settings
from tests.webhook import Server, webhook

NIGHT = date(2011, 11, 1)
STOPPED = IncomingFault("orders 2011-10-31: truncated", "deliver it again, then run the night again")


@pytest.fixture
def server() -> Iterator[Server]:
    with webhook() as server:
        yield server


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
