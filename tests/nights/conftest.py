"""Homes that share one small store, and whole nights in this process: the same steps without Airflow around them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from filelock import FileLock

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


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print at once, though pytest captures."""

    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}")
            sys.stdout.flush()

    return say


@pytest.fixture(scope="session")
def forward(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that ran all nights in order, made once for all workers; nobody changes it."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "forward"
    with pytest.MonkeyPatch.context() as monkeypatch, FileLock(root.with_suffix(".lock")):
        home = enter_home(root, store, monkeypatch)
        if not (root / "done").exists():
            for as_of in NIGHTS:
                walk(as_of)
            (root / "done").touch()
    return home


def files_of(home: Home, *nights: date) -> dict[str, bytes]:
    """Every file of every release, or of the releases of these nights alone, by key."""
    days = tuple(f"releases/{night}" for night in nights) or ("releases",)
    return {key: home.storage.path(key).read_bytes() for key in home.storage.keys("releases") if key.startswith(days)}


def walk(as_of: date, earliest: date | None = None, steps: list[str] | None = None) -> None:
    """Every step of a night in order, in this process."""
    for name in steps or list(STEPS):
        run_step(name, as_of, **({"earliest": earliest} if name == "train_first_champions" and earliest else {}))
