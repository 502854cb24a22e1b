"""What the servers of a home are told: secrets of their own, and settings by environment."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from pipelines.airflow_api import USER
from pipelines.home import Home
from pipelines.night import airflow_environment

SECRETS = {"password": 18, "jwt_secret": 64, "api_secret_key": 64}  # random bytes of each
PATIENCE = {  # seconds, unless it says otherwise
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # a task's end is seen this late
    "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "10",  # in a row; a task outlives a restart of the API server
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",  # its first answer takes long on a busy machine
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "90",  # a task that says nothing for longer is dead
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "120",  # a busy one took itself for dead after 10
}


def read_secrets(home: Home) -> dict[str, str]:
    """The password of the UI and the keys that Airflow's servers share, made at first use with mode 0600."""
    file = home.root / "airflow" / "secrets.json"
    if not file.exists():
        made = {name: secrets.token_urlsafe(nbytes) for name, nbytes in SECRETS.items()}
        write_private(file, made)
    found: dict[str, str] = json.loads(file.read_text())
    write_private(home.root / "airflow" / "passwords.json", {USER: found["password"]})
    return found


def server_environment(home: Home) -> dict[str, str]:
    """The variables that Airflow's servers share."""
    places, keys = home.places, read_secrets(home)
    base = f"http://127.0.0.1:{places.airflow_port}"
    return {
        **airflow_environment(home),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(places.airflow_port),
        "AIRFLOW__API__BASE_URL": base,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base}/execution/",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": keys["api_secret_key"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt_secret"],
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.root / "airflow" / "passwords.json"),
        **PATIENCE,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # else eight more processes, for what is not used here
        "NO_PROXY": "127.0.0.1,localhost",
    }


def write_private(file: Path, value: object) -> None:
    """Write JSON in one go, for the owner alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.next")
    handle = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w") as stream:
        json.dump(value, stream)
    fresh.replace(file)
