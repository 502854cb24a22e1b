"""The records: ledger, nights, steps, champions, promotions, releases. One small relational database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock

from pipelines.errors import StorageFault

metadata = sa.MetaData()
Row = dict[str, Any]
ALL = "all"
"""The segment of every entity, in `promotions` and `model_performance`; others are named like history=few."""


TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")  # in order of its bytes everywhere


def _table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    for column in columns:
        if type(column.type) is sa.String:
            column.type = TEXT
    return sa.Table(name, metadata, *columns)


partitions = _table(  # the ledger: one row a content of a partition that was loaded
    "partitions",
    sa.Column("entity", sa.String, primary_key=True),
    sa.Column("dt", sa.Date, primary_key=True),
    sa.Column("loaded_as_of", sa.Date, primary_key=True),  # the night that loaded it
    sa.Column("content_digest", sa.String, nullable=False),
    sa.Column("fingerprint", sa.String, nullable=False),  # names, sizes and times of its files
    sa.Column("known_at", sa.Date, nullable=False),
    sa.Column("is_history", sa.Boolean, nullable=False),
    sa.Column("is_late", sa.Boolean, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("bad_rows", sa.Integer, nullable=False),
)
nights = _table(
    "nights",
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("loaded_at", sa.DateTime),  # null: what came in has not been loaded
    sa.Column("built_at", sa.DateTime),  # null: features have not been built
)
steps = _table(
    "steps",
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("step", sa.String, primary_key=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("status", sa.String, nullable=False),  # running, done, failed
    sa.Column("started_at", sa.DateTime, nullable=False),
    sa.Column("wall_seconds", sa.Float),
    sa.Column("cpu_seconds", sa.Float),
    sa.Column("peak_mib", sa.Float),
    sa.Column("result", sa.JSON),
    sa.Column("error", sa.String),
    sa.Column("hint", sa.String),
    sa.Column("exit_code", sa.Integer),
)
acceptances = _table(
    "acceptances",
    sa.Column("entity", sa.String, primary_key=True),
    sa.Column("dt", sa.Date, primary_key=True),
    sa.Column("content_digest", sa.String, primary_key=True),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("accepted_at", sa.DateTime, nullable=False),
)
quarantine_counts = _table(
    "quarantine_counts",
    sa.Column("entity", sa.String, primary_key=True),
    sa.Column("rule", sa.String, primary_key=True),
    sa.Column("dt", sa.Date, primary_key=True),
    sa.Column("loaded_as_of", sa.Date, primary_key=True),
    sa.Column("night", sa.Date, nullable=False),  # the first night that could have known the rows
    sa.Column("rows", sa.Integer, nullable=False),
)
champions = _table(
    "champions",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("output", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("model_version", sa.String, nullable=False),  # <model>-<first 12 digits of the content digest>
    sa.Column("trained_as_of", sa.Date, nullable=False),
    sa.Column("effective_from", sa.Date, nullable=False),
    sa.Column("decided_by", sa.String, nullable=False),
    sa.Column("decided_at", sa.DateTime, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
)
promotions = _table(
    "promotions",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("output", sa.String, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("challenger", sa.String, nullable=False),
    sa.Column("against", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),  # champion, baseline, runner_up or contestant
    sa.Column("segment", sa.String, nullable=False),
    sa.Column("metric", sa.String, nullable=False),
    sa.Column("gain", sa.Float),  # relative; above 0 the challenger is better
    sa.Column("ci_low", sa.Float),
    sa.Column("ci_high", sa.Float),
    sa.Column("is_promoted", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("decided_at", sa.DateTime, nullable=False),
)
model_performance = _table(
    "model_performance",
    sa.Column("output", sa.String, primary_key=True),
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("model_version", sa.String, primary_key=True),
    sa.Column("metric", sa.String, primary_key=True),
    sa.Column("segment", sa.String, primary_key=True),
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("value", sa.Float),
    sa.Column("ci_low", sa.Float),
    sa.Column("ci_high", sa.Float),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("labels_mature_until", sa.Date, nullable=False),
    sa.Column("kind", sa.String, nullable=False),  # offline or realised
)
data_drift = _table(
    "data_drift",
    sa.Column("feature", sa.String, primary_key=True),
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("statistic", sa.String, nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("threshold", sa.Float),
    sa.Column("alarm", sa.Boolean, nullable=False),
)
releases = _table(
    "releases",
    sa.Column("release_id", sa.String, primary_key=True),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("published_at", sa.DateTime, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("status", sa.String, nullable=False),  # published, superseded, rolled_back
    sa.Column("rows", sa.JSON, nullable=False),  # per table
    sa.Column("model_versions", sa.JSON, nullable=False),  # per output
    sa.Column("snapshot_digests", sa.JSON, nullable=False),
    sa.Column("skipped", sa.JSON, nullable=False),  # per output, the reason
    sa.Column("inputs_digest", sa.String, nullable=False),  # settings and code
)
pointer = _table(
    "pointer",
    sa.Column("id", sa.Integer, primary_key=True),  # always 1
    sa.Column("release_id", sa.String, nullable=False),
    sa.Column("is_rollback", sa.Boolean, nullable=False),
)


def clock() -> datetime:
    """When something ran, UTC: a record, never an output."""
    return datetime.now(UTC).replace(tzinfo=None)


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
    """Make the tables, and the columns that an older version's lack; a column that comes later takes nulls."""
    metadata.create_all(connection)
    there = sa.inspect(connection).get_multi_columns(schema=schema)
    for table in metadata.sorted_tables:
        known = {column["name"] for column in there[schema, table.name]}
        for column in (column for column in table.columns if column.name not in known):
            from alembic.operations import Operations
            from alembic.runtime.migration import MigrationContext

            Operations(MigrationContext.configure(connection)).add_column(table.name, column, schema=schema)
