"""Where the records are kept: one small relational database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock

from pipelines.errors import StorageFault
from pipelines.records import Row, metadata, nights, pointer, releases, steps


class Records:
    """The records of one home: in a SQLite file, or in a schema of a Postgres database."""

    def __init__(self, url: str | sa.URL, schema: str | None = None) -> None:
        where = sa.make_url(url)
        if schema is None:
            Path(where.database or "").parent.mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(where, connect_args={"timeout": 60})
            with FileLock(f"{where.database}.lock"), self.engine.begin() as connection:
                _bring_up_to_date(connection)
            return
        engine = sa.create_engine(where, poolclass=sa.NullPool)  # a server may restart between two steps
        self.engine = engine.execution_options(schema_translate_map={None: schema})
        try:
            with self.engine.begin() as connection:
                connection.execute(sa.text("select pg_advisory_xact_lock(hashtext(:name))"), {"name": schema})
                connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
                _bring_up_to_date(connection, schema)
        except sa.exc.OperationalError as error:
            raise StorageFault(
                f"cannot reach the records on {where.render_as_string()}: {error.orig}",
                "start the server, or mend NIGHTCART_WAREHOUSE; `nightcart doctor` looks again",
            ) from error

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """One transaction in which nobody else decides: what it has read still holds when it writes."""
        with self.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("begin immediate")
            else:
                connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('nightcart decides'))"))
            yield connection

    def rows(self, query: sa.Select[Any]) -> list[Row]:
        """The rows of a query, as dictionaries."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def first(self, query: sa.Select[Any]) -> Row | None:
        """The first row of a query, if there is one."""
        return next(iter(self.rows(query.limit(1))), None)

    def replace(self, table: sa.Table, rows: Sequence[Row], where: sa.ColumnElement[bool]) -> None:
        """Put rows in the place of those that `where` matches, in one transaction."""
        with self.begin() as connection:
            connection.execute(sa.delete(table).where(where))
            if rows:
                connection.execute(sa.insert(table), list(rows))

    def result(self, as_of: date, step: str) -> Row:
        """What a step of a night returned when it last ended well; empty if it has not."""
        query = sa.select(steps.c.result).where(steps.c.as_of == as_of, steps.c.step == step, steps.c.status == "done")
        return (self.first(query) or {}).get("result") or {}

    def newest_loaded_night(self) -> date | None:
        """The newest night whose load has ended."""
        with self.engine.connect() as connection:
            query = sa.select(sa.func.max(nights.c.as_of)).where(nights.c.loaded_at.is_not(None))
            return connection.execute(query).scalar()

    def current_release(self) -> Row | None:
        """The release that readers see."""
        return self.first(sa.select(releases).join(pointer, pointer.c.release_id == releases.c.release_id))


def _bring_up_to_date(connection: sa.Connection, schema: str | None = None) -> None:
    """Make the tables, the columns that an older version's lack (they take nulls), and the keys that came since."""
    metadata.create_all(connection)
    there = sa.inspect(connection).get_multi_columns(schema=schema)
    keys = sa.inspect(connection).get_multi_pk_constraint(schema=schema)
    for table in metadata.sorted_tables:
        known = {column["name"] for column in there[schema, table.name]}
        for column in (column for column in table.columns if column.name not in known):
            from alembic.operations import Operations
            from alembic.runtime.migration import MigrationContext

            Operations(MigrationContext.configure(connection)).add_column(table.name, column, schema=schema)
    keyed = {name: set(key["constrained_columns"]) for (_, name), key in keys.items()}
    others = [table for table in metadata.sorted_tables if keyed[table.name] != set(table.primary_key.columns.keys())]
    if others and connection.dialect.name == "sqlite":
        connection.exec_driver_sql("begin immediate")  # sqlite3 itself begins one at a change of rows alone
    for table in others:
        rows = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
        table.drop(connection)
        table.create(connection)
        if rows:
            connection.execute(sa.insert(table), rows)
