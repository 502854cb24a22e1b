"""What Airflow's own database says of its schedulers."""

from __future__ import annotations

import socket
import sys

import sqlalchemy as sa

JOB = sa.table("job", sa.column("job_type"), sa.column("state"), sa.column("hostname"))
SECONDS = 30  # for SQLite to be free


def bury_schedulers(url: str) -> None:
    """Note that this machine's schedulers are dead, which a killed one could not: else they pass for alive for minutes.

    The next one takes up their tasks at its start. A database that does not answer is only told of: Airflow finds out
    by itself, later. A server's database may have schedulers on other machines too, a SQLite file has not.
    """
    is_file = url.startswith("sqlite")
    engine = sa.create_engine(url, connect_args={"timeout": SECONDS} if is_file else {})
    is_ours = (JOB.c.job_type == "SchedulerJob") & (JOB.c.state == "running")
    if not is_file:
        is_ours &= JOB.c.hostname.in_({socket.gethostname(), socket.getfqdn()})  # Airflow's name is one of them
    try:
        with engine.begin() as connection:
            connection.execute(sa.update(JOB).where(is_ours).values(state="failed"))
    except sa.exc.SQLAlchemyError as error:  # not set up yet, or away
        sys.stderr.write(f"the dead schedulers could not be noted: {type(error).__name__}\n")
    finally:
        engine.dispose()
