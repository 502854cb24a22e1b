"""Quarantine: the rows that were kept out of the warehouse, and why."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from pipelines.contract import ENTITIES, META
from pipelines.home import Home
from pipelines.records import nights
from pipelines.validate.accept import newest_collected

COLUMNS = ("entity", META.dt, "rule", "reason", "key", "as_of")
SCHEMA = pa.schema([(name, pa.date32() if name in (META.dt, "as_of") else pa.string()) for name in COLUMNS])


def quarantine_rows(home: Home) -> pa.Table:
    """One row a bad row: of the nights that have loaded, and of the newest night, which may have stopped on them."""
    loaded = home.records.rows(sa.select(nights.c.as_of).where(nights.c.loaded_at.is_not(None)))
    shown = {row["as_of"] for row in loaded} | {newest_collected(home)[0]}
    found = [SCHEMA.empty_table()]
    for key in home.storage.keys("quarantine"):
        as_of = date.fromisoformat(key.split("/")[1])
        if as_of in shown:
            found.append(_rows_of(pq.read_table(home.storage.path(key)), key.split("/")[2].split(".")[0], as_of))
    return pa.concat_tables(found)


def _rows_of(table: pa.Table, entity: str, as_of: date) -> pa.Table:
    parts = [table[name].to_pylist() for name in ENTITIES[entity].key]
    keys = [" ".join("null" if part is None else str(part) for part in key) for key in zip(*parts, strict=True)]
    count = table.num_rows
    columns = [[entity] * count, table[META.dt], table["rule"], table["reason"], keys, [as_of] * count]
    return pa.table(columns, schema=SCHEMA)
