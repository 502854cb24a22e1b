"""One night from outside: which is next, whether it may run, and running it through the home's own Airflow."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, timedelta
from pathlib import Path

import sqlalchemy as sa

from pipelines.errors import Busy, NightcartError, NothingToDo
from pipelines.home import PROJECT, Home
from pipelines.places import AIRFLOW_DATABASE
from pipelines.records import Row, clock, steps

HEARTBEAT_SECONDS = 60  # a scheduler that said nothing for longer is dead
POLL_SECONDS = 0.3
LEAST_FREE_MIB = 256  # with less a night that ends without a word has most likely met a full disk
Show = Callable[[list[Row]], None]


@contextmanager
def night_lock(home: Home) -> Iterator[int]:
    """The home's one night at a time; the lock lives as long as this process or a child that inherited it.

    Raises:
        Busy: another night has it.
    """
    handle = os.open(home.root / "night.lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = os.pread(handle, 200, 0).decode() or "another process"
            said = f"{who}, or what it started, runs in {home.root}"
            raise Busy(said, "wait until it has ended, then run this again") from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}: {' '.join(Path(arg).name for arg in sys.argv[:3])}".encode(), 0)
        yield handle
    finally:
        os.close(handle)


def airflow_environment(home: Home) -> dict[str, str]:
    """The variables of the home's own Airflow."""
    folder = home.root / "airflow"
    return {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        AIRFLOW_DATABASE: home.places.airflow_database,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "MLFLOW_DISABLE_TELEMETRY": "true",  # DO_NOT_TRACK=1 does not, it wants "true"
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    }


def refuse_scheduler(home: Home) -> None:
    """Raise Busy where a scheduler lives on the home's Airflow: tasks would run twice."""
    beat = _last_heartbeat(home)
    if beat and beat[:19] > str(clock() - timedelta(seconds=HEARTBEAT_SECONDS))[:19]:
        raise Busy(
            f"an Airflow scheduler lives on {home.root / 'airflow'}",
            "trigger the nightly DAG there (Airflow's UI or `airflow dags trigger nightly`), or `nightcart down` first",
        )


def _last_heartbeat(home: Home) -> str | None:
    """When a scheduler last wrote into the home's Airflow database; null where none is running."""
    query = "select max(latest_heartbeat) from job where job_type = 'SchedulerJob' and state = 'running'"
    url = home.places.airflow_database
    try:
        if not url.startswith("sqlite:///"):
            with sa.create_engine(url).connect() as connection:
                beat = connection.execute(sa.text(query)).scalar()
                return str(beat.astimezone(UTC)) if beat else None
        file = Path(url.removeprefix("sqlite:///"))
        if not file.exists():
            return None
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as connected:
            found = connected.execute(query).fetchone()[0]
            return str(found) if found else None
    except (sqlite3.OperationalError, sa.exc.ProgrammingError):
        return None  # no such table: the database has not been set up yet


def next_night(home: Home) -> date:
    """The next night that there is data for: after the newest that ran, else after the newest partition.

    Raises:
        NothingToDo: no complete partition waits.
    """
    from pipelines.contract import ENTITIES
    from pipelines.ingest.landing import complete_partitions

    newest = home.records.newest_loaded_night()
    days = sorted(
        {partition.dt for entity in ENTITIES.values() for partition in complete_partitions(home.landing, entity)}
    )
    if newest is None and days:
        return days[-1] + timedelta(days=1)
    waiting = [day for day in days if newest is not None and day >= newest]
    if not waiting:
        raise NothingToDo(
            f"no complete partition in {home.landing} lies after the night of {newest}",
            "a partition is complete once _SUCCESS lies in it; name a date to run a night again",
        )
    return waiting[0] + timedelta(days=1)


def run_night(home: Home, as_of: date, earliest: date | None = None, show: Show = lambda rows: None) -> Row:
    """Run one night through `airflow dags test nightly`; returns its release.

    Raises:
        NightcartError: what stopped the night, with its exit code and what to do.
    """
    from pipelines.publishing.release import is_published

    with night_lock(home) as lock:
        refuse_scheduler(home)
        if (published := is_published(home, as_of)) is not None:
            return published | {"was_published": True}
        started = clock()
        log = home.root / "logs" / f"night-{as_of}.log"
        code = _airflow(home, as_of, earliest, log, lock, lambda: show(_steps_since(home, as_of, started)))
        rows = _steps_since(home, as_of, started)
        show(rows)
        _raise_failure(rows, code, log)
        release = is_published(home, as_of)
        if release is None:
            raise NightcartError(f"the night of {as_of} ended without a release", f"read {log}")
        return release | {"was_published": False}


def _airflow(home: Home, as_of: date, earliest: date | None, log: Path, lock: int, poll: Callable[[], None]) -> int:
    """Run the DAG in a child process, its output in the log; returns its exit code."""
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | home.places.as_environment | airflow_environment(home)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # without compiled files Airflow takes ten times as long to start
    command = [sys.executable, "-m", "airflow"]
    conf = {"as_of": str(as_of)} | ({"earliest": str(earliest)} if earliest else {})
    with log.open("ab") as stream:
        options = {"stdout": stream, "stderr": subprocess.STDOUT, "env": environment, "pass_fds": (lock,)}
        if not (home.root / "airflow" / "airflow.db").exists():
            subprocess.run([*command, "db", "migrate"], check=True, **options)  # type: ignore[call-overload]
        night = [*command, "dags", "test", "nightly", "--conf", json.dumps(conf)]
        process = subprocess.Popen(night, **options)  # type: ignore[call-overload]
        try:
            while process.poll() is None:
                poll()
                time.sleep(POLL_SECONDS)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    return int(process.returncode)


def _steps_since(home: Home, as_of: date, started: object) -> list[Row]:
    query = sa.select(steps).where(steps.c.as_of == as_of, steps.c.started_at >= started).order_by(steps.c.started_at)
    return home.records.rows(query)


def _raise_failure(rows: list[Row], code: int, log: Path) -> None:
    failed = next((row for row in rows if row["status"] == "failed"), None)
    if failed:
        error = NightcartError(f"{failed['step']}: {failed['error']}", failed["hint"] or f"the whole log is {log}")
        error.exit_code = failed["exit_code"] or 1
        raise error
    if code != 0:
        raise NightcartError(
            f"Airflow ended with {code}", f"{_cause(log)}; run the night again, nothing is half published"
        )


def _cause(log: Path) -> str:
    """Where to look after a night that ended without a word."""
    free = shutil.disk_usage(log.parent).free // 2**20
    return f"the disk of {log.parent} is full ({free} MiB left): free some" if free < LEAST_FREE_MIB else f"read {log}"


def nights_between(first: date, last: date, is_reversed: bool) -> list[date]:
    """Every night from first to last, both included."""
    found = [first + timedelta(days=day) for day in range((last - first).days + 1)]
    return found[::-1] if is_reversed else found
