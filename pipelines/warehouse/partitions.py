"""The tables behind what is published in Postgres: a partition a release, filled before any reader can see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pyarrow as pa

from pipelines.catalog import DATASETS
from pipelines.storage import digest_of, sha256_of
from pipelines.warehouse import copying, roles
from pipelines.warehouse.address import RECORDS
from pipelines.warehouse.copying import quoted

ALL = "released"  # the schema with the partitions of all releases; analysts have no way into it
SHOWN = f"{RECORDS}.shown"  # one row: the release that the views show
PATIENCE_SECONDS = 60.0  # for transactions that were reading when the release came; a longer one has its snapshot
READERS = (
    "select l.pid, l.virtualtransaction from pg_locks as l join pg_class as c on c.oid = l.relation "
    "join pg_namespace as n on n.oid = c.relnamespace "
    f"where n.nspname = '{ALL}' and c.relkind = 'p' and l.pid <> pg_backend_pid() "
    "and l.database = (select oid from pg_database where datname = current_database())"
)
RELEASE = pa.schema([("release_id", pa.string()), ("as_of", pa.date32())])
Connection: TypeAlias = psycopg.Connection[Any]


def prepare(connection: Connection, tables: Mapping[str, object], records: Mapping[str, object]) -> None:
    """Everything that does not change from release to release."""
    for schema in (ALL, roles.PUBLISHED, RECORDS):
        connection.execute(f"create schema if not exists {schema}".encode())
    connection.execute(
        f"create table if not exists {SHOWN} (id integer primary key check (id = 1), release_id text not null)".encode()
    )
    for name in tables:
        schema = pa.unify_schemas([DATASETS[name].schema, RELEASE])
        _have_table(connection, ALL, name, schema, "partition by list (release_id)")
        _have_view(connection, name, schema.names)
    for name in records:
        _have_table(connection, roles.PUBLISHED, name, DATASETS[name].schema, "")
    roles.grant(connection)


def _have_table(connection: Connection, schema: str, name: str, columns: pa.Schema, how: str) -> None:
    """Create a table, or add the columns that it did not have so far."""
    found = _columns(connection, schema, name)
    if not found:
        connection.execute(f"create table {at(schema, name)} ({copying.column_list(columns)}) {how}".encode())
    for field in columns if found else []:
        if field.name not in found:
            column = copying.column_list(pa.schema([field]))
            connection.execute(f"alter table {at(schema, name)} add column {column}".encode())


def _have_view(connection: Connection, name: str, names: Sequence[str]) -> None:
    """The rows of the release that the pointer names; a barrier, so that no condition sees the others' rows."""
    found = _columns(connection, roles.PUBLISHED, name)
    if found == list(names):
        return
    view = at(roles.PUBLISHED, name)
    if found:
        connection.execute(f"drop view {view}".encode())
    columns = ", ".join(quoted(column) for column in names)
    connection.execute(
        f"create view {view} with (security_barrier) as select {columns} from {at(ALL, name)} "
        f"where release_id = (select release_id from {SHOWN})".encode()
    )


def have_partition(connection: Connection, name: str, release_id: str, as_of: date) -> None:
    """An empty partition for the release; made apart and then attached, for which no reader has to wait."""
    if _columns(connection, ALL, f"{name} {release_id}"):
        return
    partition = at(ALL, f"{name} {release_id}")
    defaults = f"alter release_id set default '{release_id}', alter as_of set default '{as_of}'"
    for statement in (
        f"create table {partition} (like {at(ALL, name)})",
        f"alter table {partition} {defaults}",
        f"alter table {at(ALL, name)} attach partition {partition} for values in ('{release_id}')",
    ):
        connection.execute(statement.encode())


def outwait_readers(connection: Connection) -> None:
    """Wait for those who planned their query before the new partitions were there.

    A query's plan lists the partitions, and its snapshot comes after: with an old plan and a new pointer it would find
    no rows. Whoever locks the table from now on plans with the new partitions.
    """
    connection.execute(f"create temporary table if not exists earlier as {READERS} with no data".encode())
    connection.execute(f"insert into earlier {READERS}".encode())
    for _ in range(int(PATIENCE_SECONDS / 0.01)):
        left = connection.execute(f"select count(*) from ({READERS} intersect table earlier) as t".encode()).fetchone()
        if left == (0,):
            return
        connection.execute("select pg_sleep(0.01)")


def fill_partition(connection: Connection, name: str, files: Sequence[Path], release_id: str) -> None:
    """The release's rows of one table; a partition that holds just these files' rows is left alone."""
    partition, digest = at(ALL, f"{name} {release_id}"), digest_of([sha256_of(file) for file in files])
    if connection.execute("select obj_description(to_regclass(%s), 'pg_class')", [partition]).fetchone() == (digest,):
        return
    connection.execute(f"delete from {partition}".encode())
    copying.copy_in(connection, partition, DATASETS[name].column_names, copying.batches_of(files))
    connection.execute(f"comment on table {partition} is '{digest}'".encode())


def _columns(connection: Connection, schema: str, name: str) -> list[str]:
    sql = (
        "select a.attname::text from pg_attribute as a join pg_class as c on c.oid = a.attrelid "
        "join pg_namespace as n on n.oid = c.relnamespace "
        "where n.nspname = %s and c.relname = %s and a.attnum > 0 and not a.attisdropped order by a.attnum"
    )
    return [column for (column,) in connection.execute(sql, [schema, name]).fetchall()]


def at(schema: str, name: str) -> str:
    """A relation as SQL writes it."""
    return f"{schema}.{quoted(name)}"
