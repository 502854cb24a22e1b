"""Tests of validate build no Data Docs, but those that ask for `data_docs`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.validate.expectations import Runs

PUBLISH: Callable[[Runs], str | None] = Runs.publish


@pytest.fixture(autouse=True)
def without_data_docs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the pages, which take a third of validate's time on a few rows."""
    monkeypatch.setattr(Runs, "publish", lambda _: None)


@pytest.fixture
def data_docs(monkeypatch: pytest.MonkeyPatch, without_data_docs: None) -> None:
    """Build the pages after all."""
    monkeypatch.setattr(Runs, "publish", PUBLISH)
