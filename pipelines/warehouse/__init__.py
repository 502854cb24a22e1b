"""The warehouse: raw rows, dbt's models and what is published. One module a warehouse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from pipelines.warehouse.address import is_postgres, masked


class Session(Protocol):
    """A connection that holds the warehouse's one writing slot."""

    def execute(self, sql: str) -> None:
        """Run a statement."""

    def read(self, sql: str, order_by: Sequence[str] = ()) -> pa.Table:
        """The rows of a query; in order of these columns, text by its bytes."""

    def parquet(self, file: Path) -> str:
        """A relation that holds the rows of a Parquet file, to select from as long as the session lasts."""


class Warehouse(Protocol):
    """What Nightcart asks of a warehouse."""

    def session(self) -> AbstractContextManager[Session]:
        """Take the one writing slot; waits for it, and raises Busy after a while."""

    def slot(self) -> AbstractContextManager[None]:
        """Hold the writing slot without a connection, for dbt which opens its own."""

    def publishing(self) -> AbstractContextManager[None]:
        """One publisher at a time on all machines that share the warehouse."""

    def dbt_environment(self) -> dict[str, str]:
        """The variables that dbt's profile reads."""

    def release_dbt(self) -> None:
        """Close what dbt left open in this process."""

    def publish(
        self,
        tables: Mapping[str, Sequence[Path]],
        records: Mapping[str, pa.Table],
        release_id: str,
        as_of: date,
        confirm: Callable[[], None],
    ) -> None:
        """Make a release the one that readers see, all tables at once.

        Each row of `tables` gets its id and as_of; a table without files is empty and typed. `confirm` is called
        right before readers see it: what it raises leaves them the release before.
        """

    def query(self, sql: str) -> pa.Table:
        """Rows of what is published, read-only."""

    def export(self, folder: Path) -> dict[str, int]:
        """Write each published table of one release as `<table>.parquet`; returns their rows."""

    def examine(self) -> tuple[str, str, bool]:
        """For the doctor: what is found, what to do about it, and whether something is wrong."""


def open_warehouse(place: str, home: Path, threads: int) -> Warehouse:
    """The warehouse that a place names: the path of a DuckDB file, or the URL of a Postgres database.

    Raises:
        UsageFault: another kind of place.
    """
    from pipelines.errors import UsageFault

    if is_postgres(place):
        from pipelines.warehouse.postgres import PostgresWarehouse

        return PostgresWarehouse(place, threads)
    from pipelines.warehouse.duckdb import DuckDBWarehouse

    if "://" in place:
        hint = "NIGHTCART_WAREHOUSE=<path>.duckdb, or postgresql://user:password@host:port/database"
        raise UsageFault(f"{masked(place).split('://')[0]}:// is no warehouse we know", hint)
    return DuckDBWarehouse(Path(place), home, threads)
