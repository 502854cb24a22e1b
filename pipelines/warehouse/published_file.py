"""What is published, in a DuckDB file of its own that is replaced whole: readers see one release or the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from filelock import FileLock, Timeout

from pipelines.catalog import DATASETS
from pipelines.errors import Busy, NightcartError, NothingToDo, StorageFault, UsageFault

WAIT_SECONDS = 600.0
READING = (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI)  # MULTI is a PIVOT
SQL_TYPES = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.bool_(): "boolean",
    pa.decimal128(18, 4): "decimal(18, 4)",
    pa.timestamp("us"): "timestamp",
}


class PublishedFile:
    """The file with the current release inside it; self-contained, so that an analyst may copy it."""

    def __init__(self, file: Path, config: Mapping[str, Any]) -> None:
        self.file = file
        self.config = dict(config)

    def publish(
        self,
        tables: Mapping[str, Sequence[Path]],
        records: Mapping[str, pa.Table],
        release_id: str,
        as_of: date,
        confirm: Callable[[], None],
    ) -> None:
        """Build the published file anew with this release inside it, and put it in the old one's place.

        Raises:
            NightcartError: the file could not be built, by a full disk say; the one before it stays.
        """
        fresh = self.file.with_name(f"{self.file.name}.next")
        with self._publishing():
            try:
                _remove(fresh)
                with self._connected(fresh) as connection:
                    _build(connection, tables, records, release_id, as_of)
                _sync(fresh)
                confirm()
                fresh.replace(self.file)
                _sync(self.file.parent)
            except (duckdb.Error, OSError) as error:
                raise NightcartError(
                    f"could not build {fresh}: {error}",
                    "the release before it is still the one readers see; "
                    "if the disk is full make room on it, then run the night again",
                ) from error
            finally:
                _remove(fresh)

    def query(self, sql: str) -> pa.Table:
        """Rows of what is published, read-only: no statement can write, read other files or change a setting.

        Raises:
            UsageFault: the SQL is wrong, or gives no rows.
            NothingToDo: nothing has been published yet.
        """
        with self._reader() as connection:
            connection.execute("set enable_external_access = false; set lock_configuration = true")
            try:
                _refuse_all_but_one_select(connection, sql)
                return connection.sql(sql).to_arrow_table()
            except duckdb.Error as error:
                raise UsageFault(str(error), f"the published tables are {', '.join(_tables(connection))}") from error

    def export(self, folder: Path) -> dict[str, int]:
        """Write each published table of one release as Parquet; returns their rows.

        Raises:
            UsageFault: the folder cannot be written.
            NothingToDo: nothing has been published yet.
        """
        with self._reader() as connection:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                return {name: _export(connection, name, folder / f"{name}.parquet") for name in _tables(connection)}
            except (duckdb.IOException, OSError) as error:
                hint = "name a folder that has room and can be written"
                raise UsageFault(f"cannot write into {folder}: {error}", hint) from error

    @contextmanager
    def _connected(self, file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = duckdb.connect(file, config=self.config)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A reading connection to what is published; one that is open while it is replaced keeps the old release."""
        if not self.file.exists():
            raise NothingToDo("nothing has been published yet", "run `nightcart night` first")
        try:
            connection = duckdb.connect(self.file, read_only=True, config=self.config)
        except duckdb.Error as error:
            hint = "`nightcart rollback` to the current release writes it anew"
            raise StorageFault(f"cannot read {self.file}: {error}", hint) from error
        try:
            connection.execute("set schema = 'published'")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _publishing(self) -> Iterator[None]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.file.with_suffix(".lock"), timeout=WAIT_SECONDS):
                yield
        except Timeout as error:
            raise Busy(f"another process is writing {self.file}", "wait for it, then try again") from error


def _build(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Sequence[Path]],
    records: Mapping[str, pa.Table],
    release_id: str,
    as_of: date,
) -> None:
    connection.execute("create schema published")
    for name, files in tables.items():
        columns = _create(connection, name, with_release=True)
        if files:
            connection.execute(
                f"insert into published.{_quoted(name)} select {columns}, ?::varchar, ?::date from read_parquet(?)",
                [release_id, as_of, [str(file) for file in files]],
            )
    for name, table in records.items():
        columns = _create(connection, name, with_release=False)
        connection.register("rows_of_records", table)
        connection.execute(f"insert into published.{_quoted(name)} select {columns} from rows_of_records")
        connection.unregister("rows_of_records")
    connection.execute("checkpoint")


def _create(connection: duckdb.DuckDBPyConnection, name: str, with_release: bool) -> str:
    """Create a published table as the catalogue types it; returns its columns for a select."""
    schema = DATASETS[name].schema
    columns = [f"{_quoted(field.name)} {SQL_TYPES[field.type]}" for field in schema]
    release = ["release_id varchar", "as_of date"] if with_release else []
    connection.execute(f"create table published.{_quoted(name)} ({', '.join(columns + release)})")
    return ", ".join(_quoted(field.name) for field in schema)


def _refuse_all_but_one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    kinds = [statement.type for statement in connection.extract_statements(sql)]
    if len(kinds) != 1 or kinds[0] not in READING:
        found = ", ".join(kind.name for kind in kinds) or "no statement"
        hint = "what is published is read-only: `select ... from ...`, `describe <table>` or `show tables`"
        raise UsageFault(f"found {found}, expected one SELECT", hint)


def _export(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> int:
    fresh = file.with_name(f".{file.name}.next")
    try:
        rows = f"select * from published.{_quoted(name)}"
        written = connection.execute(f"copy ({rows}) to {_text(fresh)} (format parquet, compression zstd)").fetchone()
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    return int(written[0]) if written else 0


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute("select table_name from duckdb_tables() where schema_name = 'published' order by 1")
    return [str(name) for (name,) in found.fetchall()]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: Path) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _remove(file: Path) -> None:
    """Remove a database that was not finished, with what DuckDB keeps beside it."""
    for stale in file.parent.glob(f"{file.name}*"):
        stale.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
