"""The warehouse in a Postgres database: one writer on all machines, by a lock that the server keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import Busy, StorageFault
from pipelines.warehouse import copying, roles
from pipelines.warehouse.address import Address
from pipelines.warehouse.published_schema import PublishedSchema

WAIT_SECONDS = 600.0
OLDEST = 14  # of the server: the first that notices when a client has died
LOCKS = 0x4E43  # the first half of the numbers of our advisory locks
WRITING, PUBLISHING = 1, 2
SETTINGS = (
    "-c timezone=UTC -c datestyle=ISO -c extra_float_digits=1 "
    "-c client_connection_check_interval=1000 -c idle_session_timeout=0"
)


class PostgresSession:
    """A connection that holds the warehouse's one writing slot."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.staged = 0

    def execute(self, sql: str) -> None:
        """Run a statement."""
        self.connection.execute(sql.encode())

    def read(self, sql: str, order_by: Sequence[str] = ()) -> pa.Table:
        """The rows of a query; in order of these columns, text by its bytes."""
        return copying.read(self.connection, sql, order_by)

    def parquet(self, file: Path) -> str:
        """A temporary table that holds the rows of a Parquet file."""
        schema, self.staged = pq.read_schema(file), self.staged + 1
        table = f"pg_temp.staged_{self.staged}"
        self.execute(f"create temporary table staged_{self.staged} ({copying.column_list(schema)})")
        copying.copy_in(self.connection, table, schema.names, copying.batches_of([file]))
        return table

    def close(self) -> None:
        """Tell the planner what was loaded: dbt's build comes before the server would look by itself."""
        tables = self.connection.execute("select tablename from pg_tables where schemaname = 'raw'").fetchall()
        for (name,) in tables if self.staged else []:
            self.execute(f"analyze raw.{copying.quoted(name)}")


class PostgresWarehouse:
    """Raw rows, dbt's models and what is published, in schemas of one database that belongs to Nightcart."""

    def __init__(self, place: str, threads: int) -> None:
        self.address = Address(place)
        self.threads = threads
        self.held = threading.local()  # the locks that this thread has, which it may take again
        self.published = PublishedSchema(self.connected)

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection that commits each statement unless told to begin.

        Raises:
            StorageFault: the server does not answer, or lets us not in.
        """
        alive = {"keepalives_idle": 30, "application_name": "nightcart", "options": SETTINGS}
        try:
            connection = psycopg.connect(autocommit=True, **{"connect_timeout": 10} | self.address.parts | alive)
        except psycopg.OperationalError as error:
            raise StorageFault(
                f"cannot reach {self.address}: {' '.join(str(error).split())}",
                "start the server, or mend NIGHTCART_WAREHOUSE; `nightcart doctor` looks again",
            ) from error
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold the writing slot without a connection, for dbt which opens its own.

        Raises:
            Busy: another process, here or on another machine, held it for all of WAIT_SECONDS.
        """
        with self._locked(WRITING, "writing to"):
            yield

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """One publisher at a time on all machines that share the warehouse."""
        with self._locked(PUBLISHING, "publishing in"):
            yield

    @contextmanager
    def session(self) -> Iterator[PostgresSession]:
        """A connection with the writing slot."""
        with self.slot(), self.connected() as connection:
            session = PostgresSession(connection)
            yield session
            session.close()

    def dbt_environment(self) -> dict[str, str]:
        """The variables that dbt's profile reads."""
        return {
            "NIGHTCART_DBT_TARGET": "postgres",
            "NIGHTCART_DBT_THREADS": str(self.threads),
            "PGOPTIONS": SETTINGS,
            **self.address.dbt,
        }

    def release_dbt(self) -> None:
        """Close what an interrupted dbt left open in this process."""
        from dbt.adapters.factory import FACTORY

        factory: Any = FACTORY
        factory.cleanup_connections()

    def publish(
        self,
        tables: Mapping[str, Sequence[Path]],
        records: Mapping[str, pa.Table],
        release_id: str,
        as_of: date,
        confirm: Callable[[], None],
    ) -> None:
        """Add the release's partitions and move the pointer to them, in one transaction."""
        with self.publishing():
            self.published.publish(tables, records, release_id, as_of, confirm)

    def query(self, sql: str) -> pa.Table:
        """Rows of what is published, read-only."""
        return self.published.query(sql)

    def export(self, folder: Path) -> dict[str, int]:
        """Write each published table of one release as `<table>.parquet`; returns their rows."""
        return self.published.export(folder)

    def examine(self) -> tuple[str, str, bool]:
        """For the doctor: whether the server answers, its version, and what the analyst's role may."""
        with self.connected() as connection:
            version = connection.info.server_version // 10000
            wanted = roles.wanted(connection)
        if version < OLDEST:
            return f"Postgres {version}, {self.address}", f"Nightcart needs Postgres {OLDEST} or newer", True
        advice = f"a database administrator may run: {' '.join(wanted)}" if wanted else ""
        state = "is not all set up" if wanted else "reads `published` and nothing else"
        return f"Postgres {version}, {self.address}; the role {roles.ANALYST} {state}", advice, False

    @contextmanager
    def _locked(self, number: int, doing: str) -> Iterator[None]:
        if getattr(self.held, str(number), False):
            yield
            return
        with self.connected() as connection:
            try:
                connection.execute(f"set lock_timeout = {int(WAIT_SECONDS * 1000)}".encode())
                connection.execute("select pg_advisory_lock(%s, %s)", [LOCKS, number])
            except psycopg.errors.LockNotAvailable as error:
                raise Busy(f"another process is {doing} {self.address}", "wait for it, then try again") from error
            setattr(self.held, str(number), True)
            try:
                yield
            finally:
                setattr(self.held, str(number), False)
            self._need_held(connection, doing)

    def _need_held(self, connection: psycopg.Connection[Any], doing: str) -> None:
        try:
            connection.execute("select 1")
        except psycopg.Error as error:
            raise StorageFault(
                f"the server ended the connection that kept others from {doing} {self.address} meanwhile",
                "run the step again; if it happens again look into the server's log",
            ) from error
