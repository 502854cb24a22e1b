"""Homes that share one small store, and whole nights in this process: the same steps without Airflow around them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.steps import STEPS, run_step
from tests.landing import Landing
from tests.nights.store import NIGHTS, SETTINGS, write_store

Walk = Callable[..., None]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The landing zone of the small store, with its key and settings beside it."""
    folder = tmp_path_factory.mktemp("store")
    write_store(Landing(folder / "landing"))
    (folder / "key").write_text("k" * 40)
    (folder / "settings.yaml").write_text(f"{SETTINGS}privacy: {{key_file: {folder / 'key'}}}\n")
    return folder


def enter_home(root: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Make a folder the home that the environment names."""
    monkeypatch.setenv("NIGHTCART_HOME", str(root))
    monkeypatch.setenv("NIGHTCART_LANDING", str(store / "landing"))
    monkeypatch.setenv("NIGHTCART_SETTINGS", str(store / "settings.yaml"))
    for name in ("NIGHTCART_WAREHOUSE", "NIGHTCART_STORAGE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    return Home.open()


@pytest.fixture
def enter(store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Home]:
    """Make a folder the home that the environment names."""
    return lambda root: enter_home(root, store, monkeypatch)


@pytest.fixture(scope="module")
def forward(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that ran five nights in order."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        home = enter_home(tmp_path_factory.mktemp("forward"), store, monkeypatch)
        for as_of in NIGHTS:
            walk(as_of)
    return home


def walk(as_of: date, earliest: date | None = None, steps: list[str] | None = None) -> None:
    """Every step of a night in order, in this process."""
    for name in steps or list(STEPS):
        run_step(name, as_of, **({"earliest": earliest} if name == "train_first_champions" and earliest else {}))
