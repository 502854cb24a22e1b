"""The servers of a home, with a real scheduler: up, a night through the REST API, a backfill, and down."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines import servers as module
from pipelines.errors import UsageFault
from pipelines.home import PROJECT, Home
from pipelines.servers import api_of, down, read_state, running, up
from pipelines.session import members
from tests.nights.store import NIGHTS
from tests.nights.test_airflow import last_line, nightcart

pytestmark = pytest.mark.night
DAY = timedelta(days=1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def home(tmp_path: Path, enter: Callable[[Path], Home], monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    for name in ("AIRFLOW_PORT", "MLFLOW_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    home = enter(tmp_path / "home")
    yield home
    down(home)


def test_up_a_night_and_down(home: Home) -> None:
    servers, password = up(home)
    assert password
    assert stat.S_IMODE((home.root / "airflow" / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((home.root / "airflow" / "passwords.json").stat().st_mode) == 0o600
    assert running(home) == servers
    api = api_of(home, servers)
    pools = {pool["name"]: pool["slots"] for pool in api.get("pools")["pools"]}
    assert (pools["warehouse"], pools["gpu"]) == (1, 1)
    assert api.get("dags/nightly")["is_paused"] is False

    asked = {"logical_date": None, "conf": {"as_of": str(NIGHTS[0])}}
    run = api.ask("POST", "dags/nightly/dagRuns", asked)["dag_run_id"]
    assert up(home) == (servers, None)  # a second time changes nothing, and tells no password
    refused = nightcart("night", str(NIGHTS[0]))
    assert refused.returncode == 5
    assert "nightcart down" in last_line(refused)
    while (state := api.get(f"dags/nightly/dagRuns/{run}")["state"]) in ("queued", "running"):
        time.sleep(0.5)
    tasks = api.get(f"dags/nightly/dagRuns/{run}/taskInstances")["task_instances"]
    assert state == "success", [(task["task_id"], task["state"]) for task in tasks]
    assert {task["state"] for task in tasks} == {"success"}
    assert (home.records.current_release() or {})["as_of"] == NIGHTS[0]
    runs = api.get("dags/nightly/dagRuns")["dag_runs"]
    assert [one["run_type"] for one in runs] == ["manual"]  # switching the schedule on ran no night of today

    assert down(home)
    assert members(servers.session) == []
    assert running(home) is None
    assert not down(home)


def test_a_port_that_is_taken(home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", home.places.airflow_port))
        other.listen()
        with pytest.raises(UsageFault, match=str(home.places.airflow_port)) as stopped:
            up(home)
    assert "AIRFLOW_PORT" in stopped.value.hint
    assert read_state(home) is None


def test_down_ends_what_a_killed_leader_left(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that made groups of their own too, and that don't listen to SIGINT."""
    stubborn = "import os, signal, time; os.setpgid(0, 0); signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(99)"
    monkeypatch.setattr(module, "commands", lambda home: {"stubborn": [sys.executable, "-c", stubborn]})
    monkeypatch.setattr("pipelines.session.END_SECONDS", 1.0)
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: subprocess.CompletedProcess([], 0))  # no database
    servers = module._start(home, lambda text: None)
    while len(members(servers.session)) < 2:
        time.sleep(0.05)
    os.kill(servers.session.leader, 9)
    assert down(home)
    assert members(servers.session) == []
    assert PROJECT.exists()
