"""DuckDB in memory, for the SQL that looks at what came in before it reaches a warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.home import Home

MEMORY_LIMIT = "1500MB"


class Engine:
    """A connection to a database that is gone with the block that opened it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name."""
        self.connection.register(name, table)

    def run(self, sql: str) -> None:
        """Run a statement."""
        self.connection.execute(sql)

    def table(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """The rows of a query."""
        return self.connection.sql(sql, params=list(parameters) or None).to_arrow_table()

    def reader(self, sql: str, rows: int) -> pa.RecordBatchReader:
        """The rows of a query, some at a time."""
        return self.connection.sql(sql).to_arrow_reader(rows)


@contextmanager
def open_engine(home: Home) -> Iterator[Engine]:
    """An empty database in memory; it spills under the home."""
    config: dict[str, Any] = {
        "threads": home.threads,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(home.root / ".spill"),
    }
    connection = duckdb.connect(":memory:", config=config)
    try:
        connection.execute("set TimeZone = 'UTC'")  # a naive timestamp is UTC
        yield Engine(connection)
    finally:
        connection.close()
