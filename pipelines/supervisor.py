"""Keep the servers of one home running: `python -m pipelines.supervisor`, told what by JSON on its standard input.

It leads a session of its own, holds the lock that says that it lives, starts again what ends, and ends with all of it.
What a killed server leaves behind is killed too: Airflow runs a task of a dead scheduler again, and a task must not run
twice at a time.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from pipelines.airflow_jobs import bury_schedulers
from pipelines.session import end_orphans, session_of

AGAIN_SECONDS = 5.0  # before what ended is started again
END_SECONDS = 8.0  # for servers to end by themselves; a scheduler would wait for its tasks
POLL_SECONDS = 1.0


class Supervisor:
    """Some commands, each kept running with its output in a log of its own."""

    def __init__(self, commands: dict[str, list[str]], logs: Path, database: str) -> None:
        self.commands, self.logs, self.database = commands, logs, database
        self.session = session_of(os.getpid())
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.is_ending = False

    def run(self) -> None:
        """Start all, and start again what ends, until a signal comes."""
        signal.signal(signal.SIGINT, self._end)
        signal.signal(signal.SIGTERM, self._end)
        due = dict.fromkeys(self.commands, 0.0)
        while not self.is_ending:
            for name in self.commands:
                process = self.running.get(name)
                if process and process.poll() is not None:
                    self._say(f"{name} ended with {process.returncode}; it is started again")
                    del self.running[name]
                    due[name] = time.monotonic() + AGAIN_SECONDS
                elif not process and time.monotonic() >= due[name]:
                    self.running[name] = self._start(name)
            if orphans := end_orphans(self.session):
                self._say(f"killed {orphans}, whose parent had died")
            time.sleep(POLL_SECONDS)
        self._stop()

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        if name == "scheduler":
            bury_schedulers(self.database)  # there is none but the one that starts now
        with (self.logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(self.commands[name], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.is_ending = True

    def _stop(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGINT)
        until = time.monotonic() + END_SECONDS
        for process in self.running.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        end_orphans(self.session)

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def main() -> None:
    """Read what to run, take the lock and run it."""
    told: dict[str, Any] = json.load(sys.stdin)
    lock = os.open(told["lock"], os.O_CREAT | os.O_RDWR, 0o600)  # not inherited: it lives as long as this process
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    Supervisor(told["commands"], Path(told["logs"]), told["database"]).run()


if __name__ == "__main__":
    main()
