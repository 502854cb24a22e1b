"""A dead scheduler in Airflow's database."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.airflow_jobs import JOB, bury_schedulers
from tests.warehouse.postgres_server import database, postgres_server

__all__ = ["database", "postgres_server"]


def test_only_schedulers_that_pass_for_alive_are_buried(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'airflow.db'}"
    engine = sa.create_engine(url)
    rows = [("SchedulerJob", "running"), ("SchedulerJob", "success"), ("DagProcessorJob", "running")]
    with engine.begin() as connection:
        connection.execute(sa.text("create table job (job_type text, state text, hostname text)"))
        values = [{"job_type": kind, "state": state, "hostname": "some-name"} for kind, state in rows]
        connection.execute(sa.insert(JOB), values)
    bury_schedulers(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(sa.select(JOB.c.job_type, JOB.c.state))]
    assert found == [("SchedulerJob", "failed"), *rows[1:]]


def test_a_database_that_is_not_set_up_is_only_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bury_schedulers(f"sqlite:///{tmp_path / 'airflow.db'}")
    assert "could not be noted" in capsys.readouterr().err


def test_on_a_server_only_those_of_this_machine(database: str) -> None:
    engine = sa.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("create table job (job_type text, state text, hostname text)"))
        hosts = [socket.gethostname(), "another"]
        values = [{"job_type": "SchedulerJob", "state": "running", "hostname": host} for host in hosts]
        connection.execute(sa.insert(JOB), values)
    bury_schedulers(str(engine.url.render_as_string(hide_password=False)))
    with engine.connect() as connection:
        found = dict(connection.execute(sa.select(JOB.c.hostname, JOB.c.state)).tuples().all())
    engine.dispose()
    assert found == {socket.gethostname(): "failed", "another": "running"}
