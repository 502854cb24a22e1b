"""The warehouse in a DuckDB file, and what is published in another that is replaced whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from filelock import FileLock, Timeout

from pipelines.errors import Busy, NightcartError, NothingToDo

MEMORY_LIMIT = "2GB"
WAIT_SECONDS = 600.0


class DuckDBSession:
    """A connection that holds the warehouse's one writing slot."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement."""
        self.connection.execute(sql, list(parameters))

    def read(self, sql: str) -> pa.Table:
        """The rows of a query."""
        return self.connection.execute(sql).to_arrow_table()


class DuckDBWarehouse:
    """DuckDB takes one writer process and shuts every other out: a file lock makes the others wait their turn."""

    def __init__(self, file: Path, home: Path, threads: int) -> None:
        self.file = file
        self.published = home / "published.duckdb"
        self.spill = home / ".spill"
        self.threads = threads

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold the writing slot without a connection, for dbt which opens its own.

        Raises:
            Busy: another process held it for all of WAIT_SECONDS.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.file.with_suffix(".lock"), timeout=WAIT_SECONDS):
                yield
        except Timeout as error:
            raise Busy(f"another process has {self.file} open", "wait for it, then try again") from error

    @contextmanager
    def session(self) -> Iterator[DuckDBSession]:
        """A connection with the writing slot; what it did is in the file when it ends."""
        with self.slot():
            connection = duckdb.connect(self.file, config=self._config())
            try:
                yield DuckDBSession(connection)
            finally:
                connection.close()

    def dbt_environment(self) -> dict[str, str]:
        """The variables that dbt's profile reads."""
        return {
            "NIGHTCART_DBT_TARGET": "duckdb",
            "NIGHTCART_DBT_FILE": str(self.file),
            "NIGHTCART_DBT_THREADS": str(self.threads),
            "NIGHTCART_DBT_MEMORY": MEMORY_LIMIT,
            "NIGHTCART_DBT_SPILL": str(self.spill),
        }

    def release_dbt(self) -> None:
        """Close what dbt left open in this process, so that other processes can open the file."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        DuckDBConnectionManager.close_all_connections()

    def publish(
        self, tables: Mapping[str, Sequence[Path]], records: Mapping[str, pa.Table], release_id: str, as_of: date
    ) -> None:
        """Build the published file anew with this release inside it, and put it in the old one's place."""
        fresh = self.published.with_suffix(".duckdb.next")
        with FileLock(self.published.with_suffix(".lock"), timeout=WAIT_SECONDS):
            for stale in (fresh, fresh.with_name(fresh.name + ".wal")):
                stale.unlink(missing_ok=True)
            try:
                self._build(fresh, tables, records, release_id, as_of)
                _sync(fresh)
                fresh.replace(self.published)
                _sync(self.published.parent)
            except (duckdb.Error, OSError) as error:
                fresh.unlink(missing_ok=True)
                raise NightcartError(
                    f"could not write {fresh}: {error}",
                    "the release before it is still the one readers see; make room on the disk and run the night again",
                ) from error

    def _build(
        self,
        file: Path,
        tables: Mapping[str, Sequence[Path]],
        records: Mapping[str, pa.Table],
        release_id: str,
        as_of: date,
    ) -> None:
        connection = duckdb.connect(file, config=self._config())
        try:
            connection.execute("create schema published")
            for name, files in tables.items():
                connection.execute(
                    f"create table published.{name} as select *, ?::varchar as release_id, ?::date as as_of "
                    "from read_parquet(?)",
                    [release_id, as_of, [str(part) for part in files]],
                )
            for name, table in records.items():
                connection.register("rows_of_records", table)
                connection.execute(f"create table published.{name} as select * from rows_of_records")
                connection.unregister("rows_of_records")
            connection.execute("checkpoint")
        finally:
            connection.close()

    def query(self, sql: str) -> pa.Table:
        """Rows of what is published, read-only.

        Raises:
            NothingToDo: nothing has been published yet.
        """
        if not self.published.exists():
            raise NothingToDo("nothing has been published yet", "run `nightcart night` first")
        connection = duckdb.connect(self.published, read_only=True, config={"threads": self.threads})
        try:
            connection.execute("set schema = 'published'")
            return connection.execute(sql).to_arrow_table()
        finally:
            connection.close()

    def _config(self) -> dict[str, Any]:
        return {"threads": self.threads, "memory_limit": MEMORY_LIMIT, "temp_directory": str(self.spill)}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
