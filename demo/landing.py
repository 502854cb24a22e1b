"""Write partitions of a landing zone: whole tables at once, or streamed day by day."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contract import ENTITIES

ARROW_TYPES: dict[str, pa.DataType] = {
    "id": pa.string(),
    "text": pa.string(),
    "ts": pa.timestamp("us"),
    "n": pa.int64(),
    "money": pa.decimal128(18, 4),
    "flag": pa.bool_(),
    "date": pa.date32(),
}

ALL_ENTITIES = tuple(ENTITIES)
ROWS_BUFFERED = 200_000  # of the history partition, before they are written


def columns_of(entity: str) -> dict[str, pa.DataType]:
    """The columns that a store delivers of an entity, and their types."""
    return {column.name: ARROW_TYPES[column.type] for column in ENTITIES[entity].delivered.values()}


def conform(table: pa.Table, entity: str, metadata: dict[str, str] | dict[bytes, bytes]) -> pa.Table:
    """`dt` and the contract's columns in its order and types; those that the store does not have are null."""
    fields, arrays = [pa.field("dt", pa.date32())], [table["dt"].cast(pa.date32())]
    for name, arrow_type in columns_of(entity).items():
        has_column = name in table.column_names
        arrays.append(table[name].cast(arrow_type) if has_column else pa.nulls(table.num_rows, arrow_type))
        fields.append(pa.field(name, arrow_type))
    return pa.table(arrays, pa.schema(fields, metadata=metadata))


def dated(table: pa.Table, happened: str, history_dt: date, last_dt: date) -> pa.Table:
    """The rows that happened until the last day, with the day they are delivered, ordered by it."""
    days = table[happened].to_numpy().astype("datetime64[D]")
    days = np.maximum(days, np.datetime64(history_dt))
    rows = np.argsort(days, kind="stable")
    rows = rows[days[rows] <= np.datetime64(last_dt)]
    return table.take(pa.array(rows)).add_column(0, "dt", pa.array(days[rows]))


def write_partitions(folder: Path, table: pa.Table) -> int:
    """Write each `dt` of a table ordered by it to its own partition; how many there are."""
    parts = split_days(table)
    for dt, rows in parts.items():
        write_partition(folder / f"dt={dt}", rows)
    return len(parts)


def split_days(table: pa.Table) -> dict[date, pa.Table]:
    """The rows of each `dt` of a table ordered by it, without the column."""
    runs = pa.compute.run_end_encode(table["dt"].combine_chunks())
    rows = table.drop_columns("dt")
    ends = pairwise([0, *runs.run_ends.to_pylist()])
    return {dt: rows.slice(start, end - start) for dt, (start, end) in zip(runs.values.to_pylist(), ends, strict=True)}


def write_partition(folder: Path, rows: pa.Table) -> None:
    """Write one partition: the part aside, then renamed, then the mark that it counts; an equal one is left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    part, aside = folder / "part-0.parquet", folder / "part-0.parquet.partial"
    pq.write_table(rows, aside, compression="zstd")
    if part.exists() and part.read_bytes() == aside.read_bytes():
        aside.unlink()
    else:
        aside.replace(part)
    if not (folder / "_SUCCESS").exists():
        (folder / "_SUCCESS").touch()


class LandingWriter:
    """A landing zone written day by day: the history partition grows in row groups, later days wait for their turn."""

    def __init__(self, folder: Path, history_dt: date, last_dt: date, metadata: dict[str, str]) -> None:
        self.folder, self.history_dt, self.last_dt, self.metadata = folder, history_dt, last_dt, metadata
        self.rows: dict[str, int] = dict.fromkeys(ALL_ENTITIES, 0)
        self._history: dict[str, pq.ParquetWriter] = {}
        self._buffered: dict[str, list[pa.Table]] = {}
        self._waiting: dict[date, dict[str, list[pa.Table]]] = {}

    def add(self, entity: str, table: pa.Table, happened: str = "dt") -> None:
        """Take rows of any days; those after the last day are dropped."""
        table = dated(table.rename_columns({"dt": "day"}) if happened == "dt" else table,
                      "day" if happened == "dt" else happened, self.history_dt, self.last_dt)  # fmt: skip
        for dt, rows in split_days(conform(table, entity, self.metadata)).items():
            self.rows[entity] += rows.num_rows
            if dt > self.history_dt:
                self._waiting.setdefault(dt, {}).setdefault(entity, []).append(rows)
                continue
            self._buffered.setdefault(entity, []).append(rows)
            if sum(part.num_rows for part in self._buffered[entity]) >= ROWS_BUFFERED:
                self._flush(entity)

    def close_day(self, day: date) -> None:
        """Write what a day delivers: no more rows of it can come."""
        if day == self.history_dt:
            self._close_history()
        for entity, parts in sorted(self._waiting.pop(day, {}).items()):
            write_partition(self.folder / entity / f"dt={day}", pa.concat_tables(parts))

    def _flush(self, entity: str) -> None:
        rows = pa.concat_tables(self._buffered.pop(entity))
        if entity not in self._history:
            folder = self.folder / entity / f"dt={self.history_dt}"
            folder.mkdir(parents=True, exist_ok=True)
            self._history[entity] = pq.ParquetWriter(folder / "part-0.parquet.partial", rows.schema, compression="zstd")
        self._history[entity].write_table(rows)

    def _close_history(self) -> None:
        for entity in list(self._buffered):
            self._flush(entity)
        for entity, writer in self._history.items():
            writer.close()
            folder = self.folder / entity / f"dt={self.history_dt}"
            (folder / "part-0.parquet.partial").replace(folder / "part-0.parquet")
            (folder / "_SUCCESS").touch()
