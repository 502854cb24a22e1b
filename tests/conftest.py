"""Fixtures for all tests: a home of its own for each test, and a landing zone to write into."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that test modules can import `tests.landing`

from pipelines.home import Home
from pipelines.s3 import S3Url
from tests.buckets import make_bucket, s3_server, use_server
from tests.landing import Landing

hypothesis.settings.register_profile("nightcart", deadline=None)  # the machine may be busy
hypothesis.settings.load_profile("nightcart")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole nights first: a worker that began one last would keep the others waiting."""
    items.sort(key=lambda item: "nights" not in item.path.parts)


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    """An empty landing zone."""
    return Landing(tmp_path / "landing")


@pytest.fixture
def home(tmp_path: Path, landing: Landing, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A fresh home whose landing zone is `landing`; the environment names both, for steps in other processes."""
    for name in [name for name in os.environ if name.startswith(("NIGHTCART_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NIGHTCART_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTCART_LANDING", str(landing.root))
    return Home.open()


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """The address of an S3 server."""
    with s3_server() as address:
        yield address


@pytest.fixture
def s3(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> S3Url:
    """A folder of a fresh bucket, on the server that boto3 finds."""
    use_server(s3_address, monkeypatch)
    return make_bucket(f"bucket-{uuid.uuid4().hex[:12]}")
