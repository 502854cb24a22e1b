"""The warehouse in a DuckDB file, and what is published in another that is replaced whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from filelock import FileLock, Timeout

from pipelines.errors import Busy
from pipelines.warehouse.published_file import PublishedFile

MEMORY_LIMIT = "2GB"
WAIT_SECONDS = 600.0
# Not published.duckdb: DuckDB names the catalogue after the file, and a schema of the same name is ambiguous then.
PUBLISHED_FILE = "nightcart.duckdb"


class DuckDBSession:
    """A connection that holds the warehouse's one writing slot."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement."""
        self.connection.execute(sql, list(parameters))

    def read(self, sql: str, order_by: Sequence[str] = ()) -> pa.Table:
        """The rows of a query; in order of these columns."""
        order = f" order by {', '.join(order_by)}" if order_by else ""
        return self.connection.sql(f"select * from ({sql}){order}" if order else sql).to_arrow_table()

    def parquet(self, file: Path) -> str:
        """A relation that holds the rows of a Parquet file: DuckDB reads it where it lies."""
        text = str(file).replace("'", "''")
        return f"read_parquet('{text}')"


class DuckDBWarehouse:
    """DuckDB takes one writer process and shuts every other out: a file lock makes the others wait their turn."""

    def __init__(self, file: Path, home: Path, threads: int) -> None:
        self.file = file
        self.spill = home / ".spill"
        self.threads = threads
        # one object, so that a thread which holds the slot may take it again: `session` within `slot`
        self.lock = FileLock(file.with_suffix(".lock"), timeout=WAIT_SECONDS)
        self.published = PublishedFile(home / PUBLISHED_FILE, self._config())

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold the writing slot without a connection, for dbt which opens its own.

        Raises:
            Busy: another process held it for all of WAIT_SECONDS.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.lock:
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

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """The published file has a lock of its own, and no other machine."""
        yield

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

        manager: Any = DuckDBConnectionManager
        if manager._ENV is not None:  # keep_open is off, but an interrupted run leaves its file open
            manager._ENV.close()
        manager.close_all_connections()

    def publish(
        self,
        tables: Mapping[str, Sequence[Path]],
        records: Mapping[str, pa.Table],
        release_id: str,
        as_of: date,
        confirm: Callable[[], None],
    ) -> None:
        """Build the published file anew with this release inside it, and put it in the old one's place."""
        self.published.publish(tables, records, release_id, as_of, confirm)

    def query(self, sql: str) -> pa.Table:
        """Rows of what is published, read-only."""
        return self.published.query(sql)

    def export(self, folder: Path) -> dict[str, int]:
        """Write each published table of one release as `<table>.parquet`; returns their rows."""
        return self.published.export(folder)

    def examine(self) -> tuple[str, str, bool]:
        """For the doctor: which file it is."""
        return (
            f"DuckDB {duckdb.__version__}, {self.file}" + ("" if self.file.exists() else " (not there yet)"),
            "",
            False,
        )

    def _config(self) -> dict[str, Any]:
        return {"threads": self.threads, "memory_limit": MEMORY_LIMIT, "temp_directory": str(self.spill)}
