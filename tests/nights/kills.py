"""Kill -9 of what runs a night on a real scheduler: a task's process, its worker, the scheduler itself."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.airflow_api import AirflowApi
from pipelines.contract import OUTPUTS
from pipelines.errors import NightcartError
from pipelines.home import Home
from pipelines.records import Row, steps
from pipelines.servers import Servers
from pipelines.session import members

ENDED = ("success", "failed")
SECONDS = 300.0  # for anything to happen
TASK = re.compile(r"airflow worker -- [-0-9a-f]{36}\s*")  # its worker's title names the executor too


class Night:
    """One night on the servers of a home."""

    def __init__(self, home: Home, servers: Servers, api: AirflowApi, as_of: date) -> None:
        self.home, self.servers, self.api, self.as_of = home, servers, api, as_of
        asked = {"logical_date": None, "conf": {"as_of": str(as_of)}}
        self.run = api.ask("POST", "dags/nightly/dagRuns", asked)["dag_run_id"]

    def tasks(self) -> list[dict[str, Any]]:
        """The task instances."""
        found: list[dict[str, Any]] = self.api.get(f"dags/nightly/dagRuns/{self.run}/taskInstances")["task_instances"]
        return found

    def tries(self) -> dict[str, int]:
        """How often each step was tried."""
        return {_step_of(task): task["try_number"] for task in self.tasks()}

    def state(self) -> str:
        """The run's state once it has ended."""
        return str(until(lambda: self._state() in ENDED and self._state()))

    def kill(self, step: str, victim: str) -> float | None:
        """Kill the `task`, its `worker` or a server once the step runs.

        Returns the seconds until it ran again, or to its end where it lived on; None: it had ended before.
        """
        first = until(lambda: self._begun(step))
        if not (process := self._process(step, victim)) or first["status"] == "done":
            return None
        os.kill(process, signal.SIGKILL)
        killed = time.monotonic()
        until(lambda: self._begun(step) and self._begun(step) != first)
        return time.monotonic() - killed

    def _begun(self, step: str) -> Row:
        """When the step began last, and whether it still runs; empty until it has begun."""
        found = sa.select(steps.c.started_at, steps.c.status)
        return self.home.records.first(found.where(steps.c.as_of == self.as_of, steps.c.step == step)) or {}

    def _state(self) -> str:
        with suppress(NightcartError):  # the API server may be what was killed
            return str(self.api.get(f"dags/nightly/dagRuns/{self.run}")["state"])
        return "unknown"

    def _process(self, step: str, victim: str) -> int | None:
        if victim not in ("task", "worker"):
            return next((one for one in members(self.servers.session) if f"airflow {victim}" in command_of(one)), None)
        commands = {one: command_of(one) for one in members(self.servers.session)}
        tasks = {one: command for one, command in commands.items() if TASK.fullmatch(command)}
        if len(tasks) > 1:  # scores run side by side
            ident = next(task["id"] for task in self.tasks() if _step_of(task) == step)
            tasks = {one: command for one, command in tasks.items() if ident in command}
        task = next(iter(tasks), None)
        return parent_of(task) if task and victim == "worker" else task


def until(says: Callable[[], Any]) -> Any:
    """Wait for something to be true, and return it."""
    end = time.monotonic() + SECONDS
    while not (found := says()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


def command_of(process: int) -> str:
    """The command line of a process; empty where it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def parent_of(process: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def _step_of(task: dict[str, Any]) -> str:
    return f"score_{list(OUTPUTS)[task['map_index']]}" if task["task_id"] == "score" else str(task["task_id"])
