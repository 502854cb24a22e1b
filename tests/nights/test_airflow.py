"""Whole nights through the command line and the home's own Airflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.home import PROJECT, Home
from pipelines.night import night_lock
from tests.landing import Landing
from tests.nights.store import NIGHTS, write_store

pytestmark = pytest.mark.night


def nightcart(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, env=os.environ)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip().splitlines()[-1]


def test_a_night_stopped_by_what_came_in_then_mended(
    tmp_path: Path, enter: Callable[[Path], Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what to do; the fix and a second run are enough, and nothing is published until then."""
    home = enter(tmp_path / "home")
    landing = Landing(tmp_path / "landing")
    write_store(landing)
    monkeypatch.setenv("NIGHTCART_LANDING", str(landing.root))
    nothing = nightcart("query", "select 1")
    assert nothing.returncode == 6, nothing.stderr

    partition = landing.folder("orders", NIGHTS[0] - (NIGHTS[1] - NIGHTS[0])) / "part-0.parquet"
    good = partition.read_bytes()
    partition.write_bytes(good[: len(good) // 2])
    done = nightcart("night", str(NIGHTS[0]))
    assert done.returncode == 3, done.stderr + done.stdout
    assert "orders" in done.stderr
    assert last_line(done).startswith("what to do: ")
    assert home.records.current_release() is None

    partition.write_bytes(good)
    assert nightcart("night", "2024-99-99").returncode == 2
    done = nightcart("night", str(NIGHTS[0]))
    assert done.returncode == 0, done.stderr + done.stdout
    assert "demand_forecasts" in done.stdout
    assert "where to look next" in done.stdout

    again = nightcart("night", str(NIGHTS[0]))
    assert again.returncode == 0
    assert "already published" in again.stdout

    rows = nightcart("query", "select count(*) as n from demand_forecasts", "--format", "json")
    assert json.loads(rows.stdout) == [{"n": 24}]
    assert nightcart("query", "drop table demand_forecasts").returncode == 2
    assert nightcart("query", "select nothing from nowhere").returncode == 2

    exported = nightcart("export", str(tmp_path / "out"))
    assert exported.returncode == 0, exported.stderr
    assert pq.read_table(tmp_path / "out" / "demand_forecasts.parquet").num_rows == 24
    assert (home.root / "reports" / "latest.html").exists()


def test_a_second_night_at_the_same_time_is_refused(tmp_path: Path, enter: Callable[[Path], Home]) -> None:
    home = enter(tmp_path / "home")
    with night_lock(home):
        done = nightcart("night", str(NIGHTS[0]))
    assert done.returncode == 5
    assert last_line(done).startswith("what to do: wait")
