"""What is published in Postgres: a partition a release, and a pointer to the one that the views show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import TypeAlias

import psycopg
import pyarrow as pa

from pipelines.catalog import DATASETS
from pipelines.errors import NightcartError, NothingToDo, UsageFault
from pipelines.warehouse import copying, roles
from pipelines.warehouse.partitions import (
    ALL,
    SHOWN,
    Connection,
    at,
    fill_partition,
    have_partition,
    outwait_readers,
    prepare,
)

Connected: TypeAlias = Callable[[], AbstractContextManager[Connection]]


class PublishedSchema:
    """The schema `published`: views on the current release, and the tables of all nights."""

    def __init__(self, connected: Connected) -> None:
        self.connected = connected

    def publish(
        self,
        tables: Mapping[str, Sequence[Path]],
        records: Mapping[str, pa.Table],
        release_id: str,
        as_of: date,
        confirm: Callable[[], None],
    ) -> None:
        """Add the release's partitions and move the pointer to them, in one transaction; readers never wait.

        Raises:
            NightcartError: it could not be written; the release before it stays.
        """
        try:
            with self.connected() as connection:
                with connection.transaction():
                    prepare(connection, tables, records)
                    for name in tables:
                        have_partition(connection, name, release_id, as_of)
                outwait_readers(connection)
                with connection.transaction():
                    for name, files in tables.items():
                        fill_partition(connection, name, files, release_id)
                    for name, rows in records.items():
                        connection.execute(f"delete from {at(roles.PUBLISHED, name)}".encode())
                        names = DATASETS[name].column_names
                        copying.copy_in(connection, at(roles.PUBLISHED, name), names, iter(rows.to_batches()))
                    confirm()
                    connection.execute(
                        f"insert into {SHOWN} values (1, %s) on conflict (id) do update "
                        "set release_id = excluded.release_id".encode(),
                        [release_id],
                    )
        except (psycopg.Error, pa.ArrowException, OSError) as error:
            raise NightcartError(
                f"could not build release {release_id} in Postgres: {error}",
                "the release before it is still the one readers see; "
                "if the server's disk is full make room on it, then run the night again",
            ) from error

    def forget(self, release_id: str) -> None:
        """Drop the partitions of a release that nobody needs any more.

        Raises:
            UsageFault: it is the one that readers see.
        """
        with self.connected() as connection, connection.transaction():
            if _shown(connection) == release_id:
                raise UsageFault(f"readers see release {release_id}", "roll back to another one first")
            for (name,) in connection.execute(
                "select c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
                "where n.nspname = %s and c.relispartition and right(c.relname, length(%s)) = %s",
                [ALL, f" {release_id}", f" {release_id}"],
            ).fetchall():
                connection.execute(f"drop table {at(ALL, name)}".encode())

    def query(self, sql: str) -> pa.Table:
        """Rows of what is published, as the analyst's role reads them: no statement can write.

        Raises:
            UsageFault: the SQL is wrong, or gives no rows.
            NothingToDo: nothing has been published yet.
        """
        statement = sql.strip().rstrip(";").strip()
        with self._reading() as connection:
            names = _tables(connection)
            try:
                with connection.transaction():
                    _refuse_all_but_one_select(connection, statement)
                    return copying.read(connection, statement)
            except psycopg.Error as error:
                message = error.diag.message_primary or str(error)
                raise UsageFault(message, f"the published tables are {', '.join(names)}") from error

    def export(self, folder: Path) -> dict[str, int]:
        """Write each published table of one release as Parquet; returns their rows.

        Raises:
            UsageFault: the folder cannot be written.
            NothingToDo: nothing has been published yet.
        """
        with self._reading() as connection:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                return {name: _export(connection, name, folder / f"{name}.parquet") for name in _tables(connection)}
            except OSError as error:
                hint = "name a folder that has room and can be written"
                raise UsageFault(f"cannot write into {folder}: {error}", hint) from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction that can only read and sees one release, as the analyst's role where we may take it."""
        with self.connected() as connection, connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            if _shown(connection) is None:
                raise NothingToDo("nothing has been published yet", "run `nightcart night` first")
            if roles.is_member(connection):
                connection.execute(f"set local role {roles.ANALYST}".encode())
            connection.execute(f"set local search_path = {roles.PUBLISHED}".encode())
            yield connection


def _refuse_all_but_one_select(connection: Connection, sql: str) -> None:
    """The server itself takes the SQL apart: what it prepares is one statement, and it says whether that gives rows."""
    prepared = connection.pgconn.prepare(b"", sql.encode())
    if prepared.status != psycopg.pq.ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(prepared)
    if connection.pgconn.describe_prepared(b"").nfields == 0:
        hint = "what is published is read-only: `select ... from ...`"
        raise UsageFault("found a statement that gives no rows, expected one SELECT", hint)


def _export(connection: Connection, name: str, file: Path) -> int:
    fresh = file.with_name(f".{file.name}.next")
    try:
        written = copying.export(connection, f"select * from {at(roles.PUBLISHED, name)}", fresh)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    return written


def _shown(connection: Connection) -> str | None:
    if connection.execute("select to_regclass(%s)", [SHOWN]).fetchone() == (None,):
        return None
    row = connection.execute(f"select release_id from {SHOWN}".encode()).fetchone()
    return str(row[0]) if row else None


def _tables(connection: Connection) -> list[str]:
    sql = "select table_name::text from information_schema.tables where table_schema = %s order by 1"
    return [name for (name,) in connection.execute(sql, [roles.PUBLISHED]).fetchall()]
