"""The servers of one home: Airflow and MLflow on loopback, in a session of their own, up and down."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.airflow_api import AirflowApi, ApiFault, request
from pipelines.airflow_jobs import bury_schedulers
from pipelines.errors import NightcartError, UsageFault
from pipelines.home import PROJECT, Home
from pipelines.night import night_lock, refuse_scheduler
from pipelines.server_environment import read_secrets, server_environment, write_private
from pipelines.session import Session, members, session_of, stop

HEALTHY_SECONDS = 240.0  # a cold start takes 15 to 60
POLL_SECONDS = 0.5
POOLS = {"warehouse": "the warehouse takes one writer", "gpu": "one training at a time"}
SCHEDULED = ("nightly", "train")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Servers:
    """What runs, and where."""

    session: Session
    airflow_port: int
    mlflow_port: int | None  # None: MLFLOW_TRACKING_URI names a server that runs elsewhere

    @property
    def urls(self) -> dict[str, str]:
        """The pages by name."""
        ports = {"Airflow": self.airflow_port, "MLflow": self.mlflow_port}
        return {name: f"http://127.0.0.1:{port}" for name, port in ports.items() if port}


def up(home: Home, say: Say = lambda text: None) -> tuple[Servers, str | None]:
    """Start the servers that are not up, and wait until they are healthy; the password where it was made just now.

    Raises:
        Busy: a night, or a scheduler that is not ours, holds the home.
        UsageFault: a port is taken.
        NightcartError: a server does not come up.
    """
    password = None if (home.root / "airflow" / "secrets.json").exists() else read_secrets(home)["password"]
    servers = running(home)
    if servers is None:
        with night_lock(home):
            _stop_last(home)  # what a killed leader left behind
            refuse_scheduler(home)
            servers = _start(home, say)
    _wait(home, servers, say)
    _set_up(home, servers)
    return servers, password


def down(home: Home) -> bool:
    """Stop the whole session: SIGINT, then SIGKILL for what is left; returns whether anything ran."""
    was_running = _stop_last(home)
    state_file(home).unlink(missing_ok=True)
    return was_running


def running(home: Home) -> Servers | None:
    """The servers whose leader lives."""
    state = read_state(home)
    return state if state and _is_led(home) and members(state.session) else None


def api_of(home: Home, servers: Servers) -> AirflowApi:
    """The REST API of the home's Airflow."""
    return AirflowApi(servers.airflow_port, read_secrets(home)["password"])


def state_file(home: Home) -> Path:
    """Where the session's id is kept."""
    return home.root / "servers.json"


def read_state(home: Home) -> Servers | None:
    """What was started last, whether it lives or not."""
    file = state_file(home)
    if not file.exists():
        return None
    found = json.loads(file.read_text())
    return Servers(Session(**found.pop("session")), **found)


def commands(home: Home) -> dict[str, list[str]]:
    """What runs, by name; MLflow only where its records lie in the home or a database."""
    airflow = [sys.executable, "-m", "airflow"]
    found = {name: [*airflow, name] for name in ("api-server", "scheduler", "dag-processor")}
    found["scheduler"].append("--skip-serve-logs")  # logs lie in the home; its server would listen on every address
    if not home.places.mlflow.startswith("http"):
        where = ["--host", "127.0.0.1", "--port", str(home.places.mlflow_port), "--workers", "1"]
        store = ["--backend-store-uri", home.places.mlflow]
        artifacts = ["--artifacts-destination", str(home.root / "mlartifacts")]
        found["mlflow"] = [sys.executable, "-m", "mlflow", "server", *where, *store, *artifacts]
    return found


def _stop_last(home: Home) -> bool:
    state = read_state(home)
    was_running = state is not None and stop(state.session)
    if was_running:
        bury_schedulers(home.places.airflow_database)
    return was_running


def _start(home: Home, say: Say) -> Servers:
    run, places, folder = commands(home), home.places, home.root / "airflow" / "servers"
    ports = {"AIRFLOW_PORT": places.airflow_port, "MLFLOW_PORT": places.mlflow_port if "mlflow" in run else 0}
    for name, port in ports.items():
        _need_free(name, port)
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | places.as_environment | server_environment(home)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    say("Airflow's database")
    with (folder / "supervisor.log").open("ab") as log:
        options = {"cwd": PROJECT, "env": environment, "stdout": log, "stderr": subprocess.STDOUT}
        migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
        if subprocess.run(migrate, check=False, **options).returncode:  # type: ignore[call-overload]
            raise NightcartError("Airflow's database could not be set up", f"read {folder / 'supervisor.log'}")
        leader: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, "-m", "pipelines.supervisor"], stdin=subprocess.PIPE, start_new_session=True, **options
        )
        told = {"commands": run, "logs": str(folder), "lock": str(home.root / "servers.lock")}
        told["database"] = places.airflow_database
        servers = Servers(session_of(leader.pid), places.airflow_port, ports["MLFLOW_PORT"] or None)
        write_private(state_file(home), asdict(servers))
        assert leader.stdin is not None
        leader.stdin.write(json.dumps(told).encode())
        leader.stdin.close()
        while leader.poll() is None and not _is_led(home):
            time.sleep(POLL_SECONDS)
    return servers


def _wait(home: Home, servers: Servers, say: Say) -> None:
    """Wait until all answer that they are well."""
    api, until = AirflowApi(servers.airflow_port, ""), time.monotonic() + HEALTHY_SECONDS
    waits: dict[str, Callable[[], bool]] = {
        "Airflow": api.is_healthy,
        "MLflow": lambda: _answers(servers.mlflow_port),
    }
    folder = home.root / "airflow" / "servers"
    for name, is_well in waits.items():
        say(f"{name} ...")
        while not is_well():
            if not members(servers.session):
                raise NightcartError("the servers ended while they started", f"read the logs in {folder}")
            if time.monotonic() > until:
                hint = f"read the logs in {folder}; `nightcart down` stops what runs"
                raise NightcartError(f"{name} is not healthy after {HEALTHY_SECONDS:.0f} s", hint)
            time.sleep(POLL_SECONDS)


def _answers(port: int | None) -> bool:
    try:
        return port is None or request("GET", f"http://127.0.0.1:{port}/health") == "OK"
    except NightcartError:
        return False


def _set_up(home: Home, servers: Servers) -> None:
    """The pools, then the schedules: nothing of a night may run before its pools are there."""
    api, until = api_of(home, servers), time.monotonic() + HEALTHY_SECONDS
    for name, why in POOLS.items():
        api.put_pool(name, 1, why)
    for dag in SCHEDULED:
        _switch_on(api, dag, until)


def _switch_on(api: AirflowApi, dag: str, until: float) -> None:
    while True:
        try:
            api.ask("PATCH", f"dags/{dag}?update_mask=is_paused", {"is_paused": False})
            return
        except ApiFault as fault:
            if fault.status != 404 or time.monotonic() > until:
                raise
            time.sleep(POLL_SECONDS)  # the DAG has not been parsed yet


def _need_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            hint = f"set {name} to a free port, or stop what has it"
            raise UsageFault(f"port {port} of 127.0.0.1 is taken ({error.strerror})", hint) from error


def _is_led(home: Home) -> bool:
    """Whether the leader lives: it holds the lock."""
    handle = os.open(home.root / "servers.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
