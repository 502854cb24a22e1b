"""A snapshot: an immutable manifest of sorted, content-addressed Parquet parts of the features and marts."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from pipelines.catalog import Dataset
from pipelines.errors import Busy, StorageFault
from pipelines.features.dbt import project_digest
from pipelines.home import Home
from pipelines.records import steps
from pipelines.storage import Storage, digest_of, sha256_of
from pipelines.warehouse import Session

BY_MONTH = {"fct_daily_sales": "day"}
CUTS = ("known_as_of", "as_of")
NO_ROWS = "none"  # the label of a part without rows
Parts = dict[str, str]
"""The key of each part by its label: a month, a cut-off, or `all`."""


class Snapshot:
    """The tables of one snapshot. Every file's digest is checked before it is read."""

    def __init__(self, storage: Storage, digest: str) -> None:
        self.storage = storage
        self.digest = digest

    @cached_property
    def parts(self) -> dict[str, Parts]:
        """The parts of each table by label.

        Raises:
            StorageFault: the manifest is missing, or is not what its digest says.
        """
        manifest: dict[str, Parts] = self.storage.read_json(_key(self.digest))
        if digest_of(manifest) != self.digest:
            raise StorageFault(f"{_key(self.digest)} was changed after it was written", _hint())
        return manifest

    def files(self, table: str) -> list[Path]:
        """The files of a table, in the order of their rows.

        Raises:
            StorageFault: a part is missing or is not what was written.
        """
        if table not in self.parts:
            raise StorageFault(f"snapshot {self.digest[:8]} holds no {table}, only {', '.join(self.parts)}", _hint())
        return [self._checked(key) for _, key in sorted(self.parts[table].items())]

    def frame(self, table: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A table as a frame, sorted by its key; dates are datetime64, money is float64."""
        names = list(columns) if columns is not None else None
        rows = pa.concat_tables([pq.read_table(file, columns=names) for file in self.files(table)])
        for i, field in enumerate(rows.schema):
            if pa.types.is_decimal(field.type):
                rows = rows.set_column(i, field.name, rows[field.name].cast(pa.float64()))
        return rows.to_pandas(date_as_object=False)

    def rows(self, table: str) -> int:
        """The number of rows of a table."""
        return sum(pq.read_metadata(self.storage.path(key)).num_rows for key in self.parts[table].values())

    def _checked(self, key: str) -> Path:
        file = self.storage.path(key)
        if sha256_of(file) != file.stem:
            raise StorageFault(f"{file} was changed after it was written", f"remove it; {_hint()}")
        return file


def write_snapshot(home: Home, session: Session, tables: Sequence[Dataset], as_of: date) -> dict[str, Any]:
    """Write the tables of a build as a snapshot; returns its digest and the rows per table."""
    manifest = {}
    with parts_lock(home):
        previous = _previous(home, as_of)
        for table in tables:
            if table.name in BY_MONTH:
                manifest[table.name] = _write_months(home, session, table, as_of, previous)
            else:
                manifest[table.name] = _write_cuts(home.storage, session, table)
        digest = digest_of(manifest)
        home.storage.put_json(_key(digest), manifest)
    snapshot = Snapshot(home.storage, digest)
    return {"snapshot": digest, "tables": {table.name: snapshot.rows(table.name) for table in tables}}


@contextmanager
def parts_lock(home: Home, is_alone: bool = False) -> Iterator[None]:
    """Parts that lie in the store stay there within the block; `is_alone`: nobody counts on that but who asks.

    Raises:
        Busy: a snapshot is being written, which may share parts with others.
    """
    handle = os.open(home.root / "parts.lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB if is_alone else fcntl.LOCK_SH)
        yield
    except BlockingIOError as error:
        raise Busy(f"a snapshot is being written in {home.root}", "wait until it is, then run this again") from error
    finally:
        os.close(handle)


def _key(digest: str) -> str:
    return f"snapshots/{digest}.json"


def _hint() -> str:
    return "run `nightcart step build_features <as_of>` again: the same snapshot comes back"


def _previous(home: Home, as_of: date) -> tuple[date, Snapshot] | None:
    """The newest older night's snapshot, if the same SQL wrote it."""
    is_older = (steps.c.step == "build_features") & (steps.c.status == "done") & (steps.c.as_of < as_of)
    step = home.records.first(sa.select(steps).where(is_older).order_by(steps.c.as_of.desc()))
    if step is None or step["result"].get("dbt") != project_digest():
        return None
    digest = str(step["result"]["snapshot"])
    return (step["as_of"], Snapshot(home.storage, digest)) if home.storage.exists(_key(digest)) else None


def _write_months(
    home: Home, session: Session, table: Dataset, as_of: date, previous: tuple[date, Snapshot] | None
) -> Parts:
    """Write a long table by month; a month in which nothing became known since the last snapshot keeps its part."""
    day = BY_MONTH[table.name]
    month = f"date_trunc('month', {day})"
    kept: Parts = {}
    if previous is not None:
        since, snapshot = previous
        touched = session.read(
            f"select distinct cast({month} as date) as month from intermediate.int_product_days "
            f"where (known_at > date '{since}' and known_at <= date '{as_of}') or {day} >= date '{since}'"
        )
        labels = {str(value)[:7] for value in touched["month"].to_pylist()}
        kept = {label: key for label, key in snapshot.parts[table.name].items() if label not in labels | {NO_ROWS}}
    months = session.read(f"select distinct cast({month} as date) as month from {_from(table)}")["month"].to_pylist()
    fresh = [value for value in sorted(months) if str(value)[:7] not in kept]
    parts = {str(value)[:7]: _put(home.storage, session, table, f"{month} = date '{value}'") for value in fresh}
    return _or_empty(home.storage, session, table, kept | parts)


def _write_cuts(storage: Storage, session: Session, table: Dataset) -> Parts:
    """Write a table by its cut-offs, so that the same cut-off gives the same part in a night and in a training."""
    cuts = [column for column in CUTS if column in table.key]
    if not cuts:
        return {"all": _put(storage, session, table, "1 = 1")}
    parts: Parts = {}
    for row in session.read(f"select distinct {', '.join(cuts)} from {_from(table)}").to_pylist():
        where = " and ".join(f"{column} = date '{row[column]}'" for column in cuts)
        parts[" ".join(str(row[column]) for column in cuts)] = _put(storage, session, table, where)
    return _or_empty(storage, session, table, parts)


def _or_empty(storage: Storage, session: Session, table: Dataset, parts: Parts) -> Parts:
    """A table without rows has one part without rows, so that its columns are known."""
    return parts or {NO_ROWS: _put(storage, session, table, "1 = 0")}


def _from(table: Dataset) -> str:
    return f"{table.layer}.{table.name}"


def _put(storage: Storage, session: Session, table: Dataset, where: str) -> str:
    return storage.put_part(session.read(f"select * from {_from(table)} where {where}", order_by=table.key))
