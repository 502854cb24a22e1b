"""The servers of a home, with a real scheduler: up, nights through the REST API, kill -9 of what runs, and down."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psutil import Process

from pipelines import servers as module
from pipelines.errors import UsageFault
from pipelines.home import PROJECT, Home
from pipelines.night import refuse_scheduler
from pipelines.servers import Servers, api_of, down, read_state, running, up
from pipelines.session import members
from pipelines.steps import STEPS
from tests.nights.conftest import walk
from tests.nights.kills import Night, parent_of, until
from tests.nights.store import NIGHTS
from tests.nights.test_airflow import last_line, nightcart
from tests.nights.test_order import files_of
from tests.warehouse.postgres_server import database, postgres_server

__all__ = ["database", "postgres_server"]
pytestmark = pytest.mark.night
VICTIMS = {"validate": "worker", "build_features": "scheduler", "audit": "api_server"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(servers: Servers) -> set[tuple[str, int | None]]:
    """Where the servers listen."""
    found = [connection for one in members(servers.session) for connection in Process(one).net_connections()]
    return {(one.laddr.ip, one.laddr.port) for one in found if one.status == "LISTEN"}


@pytest.fixture
def home(tmp_path: Path, enter: Callable[[Path], Home], monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    for name in ("AIRFLOW_PORT", "MLFLOW_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    home = enter(tmp_path / "home")
    yield home
    down(home)


def test_a_night_whose_task_and_scheduler_are_killed(home: Home) -> None:
    """One Airflow for all of it: it takes a minute to start and to stop."""
    servers, password = up(home)
    assert password
    for name in ("secrets.json", "passwords.json"):
        assert stat.S_IMODE((home.root / "airflow" / name).stat().st_mode) == 0o600
    assert running(home) == servers
    assert listening(servers) == {("127.0.0.1", servers.airflow_port), ("127.0.0.1", servers.mlflow_port)}
    api = api_of(home, servers)
    pools = {pool["name"]: pool["slots"] for pool in api.get("pools")["pools"]}
    assert (pools["warehouse"], pools["gpu"]) == (1, 1)
    assert [api.get(f"dags/{dag}")["is_paused"] for dag in ("nightly", "train")] == [False, False]

    night = Night(home, servers, api, NIGHTS[0])
    assert night.kill("validate", "task")
    assert night.kill("train_first_champions", "scheduler")
    assert up(home) == (servers, None)  # a second time changes nothing, and tells no password
    refused = nightcart("night", str(NIGHTS[0]))
    assert refused.returncode == 5
    assert "nightcart down" in last_line(refused)
    assert night.state() == "success", [(task["task_id"], task["state"]) for task in night.tasks()]
    tries = night.tries()
    assert (tries["validate"], tries["train_first_champions"]) == (2, 2)
    assert (home.records.current_release() or {})["as_of"] == NIGHTS[0]
    runs = api.get("dags/nightly/dagRuns")["dag_runs"]
    assert [one["run_type"] for one in runs] == ["manual"]  # switching the schedules on ran no night of today
    assert api.get("dags/train/dagRuns")["dag_runs"] == []

    assert down(home)
    assert members(servers.session) == []
    assert running(home) is None
    refuse_scheduler(home)  # none passes for alive
    assert not down(home)


@pytest.mark.long
@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_a_night_killed_at_each_step(
    home: Home,
    warehouse: str,
    database: str,
    tmp_path: Path,
    enter: Callable[[Path], Home],
    tell: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Task by task, then the worker of one, the scheduler and the API server: the release is that of an untouched home.

    Seconds until each step ran again are printed.
    """
    if warehouse == "postgres":
        monkeypatch.setenv("NIGHTCART_WAREHOUSE", database)
        home = Home.open()
    servers, _ = up(home)
    api = api_of(home, servers)
    for as_of, victims in ((NIGHTS[0], dict.fromkeys(STEPS, "task")), (NIGHTS[1], VICTIMS)):
        night, killed = Night(home, servers, api, as_of), set()
        for step, victim in victims.items():
            seconds = night.kill(step, victim)
            killed |= {step} if seconds else set()
            tell(f"{warehouse}: {victim} in {step}: {f'{seconds:.0f} s' if seconds else 'had ended'}")
        assert night.state() == "success"
        assert victims.keys() - killed <= {"score_demand"}  # it may end while the other score is waited for
    assert down(home)
    assert members(servers.session) == []
    untouched = enter(tmp_path / "untouched")
    for as_of in NIGHTS[:2]:
        walk(as_of)
    assert files_of(home) == files_of(untouched)


def test_a_port_that_is_taken(home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", home.places.airflow_port))
        other.listen()
        with pytest.raises(UsageFault, match=str(home.places.airflow_port)) as stopped:
            up(home)
    assert "AIRFLOW_PORT" in stopped.value.hint
    assert read_state(home) is None


def test_what_a_killed_server_leaves_behind_is_killed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a task would go on beside its second run."""
    child = "import os, time; os.setpgid(0, 0); time.sleep(99)"
    server = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(99)"
    monkeypatch.setattr(module, "commands", lambda home: {"server": [sys.executable, "-c", server]})
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: subprocess.CompletedProcess([], 0))  # no database
    session = module._start(home, lambda text: None).session
    first = until(lambda: len(found := members(session)) == 3 and found)
    parent = next(one for one in first if parent_of(one) == session.leader)
    os.kill(parent, 9)
    until(lambda: len(found := set(members(session))) == 3 and found & set(first) == {session.leader})


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
