"""Quarantine: the rows that were kept out of the warehouse, and why; and how a stopped partition is let through."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from pipelines.contract import ENTITIES, META
from pipelines.errors import UsageFault
from pipelines.home import Home
from pipelines.ingest.manifest import Entry, read_manifest
from pipelines.records import acceptances, clock, partitions
from pipelines.validate.faults import read_faults
from pipelines.validate.rows import REASON, RULE

COLUMNS = ("entity", META.dt, "rule", "reason", "key", "as_of")
SCHEMA = pa.schema([(name, pa.date32() if name in (META.dt, "as_of") else pa.string()) for name in COLUMNS])


def quarantine_rows(home: Home, entity: str | None = None) -> pa.Table:
    """One row a bad row, of one entity or all.

    Shown are the partitions that were loaded, and all that the newest night collected: it may have stopped on them, or
    have left them out.
    """
    columns = (partitions.c.entity, partitions.c.dt, partitions.c.loaded_as_of)
    loaded = {tuple(row.values()) for row in home.records.rows(sa.select(*columns))}
    newest = _newest_collected(home)[0]
    found = [SCHEMA.empty_table()]
    for key in home.storage.keys("quarantine"):
        as_of, name = date.fromisoformat(key.split("/")[1]), key.split("/")[2].removesuffix(".parquet")
        if entity in (None, name):
            rows = _rows_of(pq.read_table(home.storage.path(key)), name, as_of)
            is_shown = [as_of == newest or (name, dt, as_of) in loaded for dt in rows[META.dt].to_pylist()]
            found.append(rows.filter(pa.array(is_shown, pa.bool_())))
    return pa.concat_tables(found)


def _rows_of(table: pa.Table, entity: str, as_of: date) -> pa.Table:
    parts = [table[name].to_pylist() for name in ENTITIES[entity].key]
    keys = [" ".join("null" if part is None else str(part) for part in key) for key in zip(*parts, strict=True)]
    count = table.num_rows
    columns = [[entity] * count, table[META.dt], table[RULE], table[REASON], keys, [as_of] * count]
    return pa.table(columns, schema=SCHEMA)


def accept(home: Home, entity: str, dt: date, reason: str) -> dict[str, Any]:
    """Let a partition through that stopped the newest night that collected.

    Raises:
        UsageFault: there is nothing to accept, or what stopped it cannot be accepted.
    """
    if not reason.strip():
        raise UsageFault("an acceptance needs a reason", f'nightcart accept {entity} {dt} --reason "..."')
    as_of, entries = _newest_collected(home)
    entry = next((entry for entry in entries if (entry.entity, entry.dt) == (entity, dt)), None)
    faults = [] if as_of is None else read_faults(home.storage, as_of)
    of_partition = [fault for fault in faults if fault["entity"] == entity and fault["dt"] == str(dt)]
    if entry is None or not of_partition:
        stopped = sorted({f"{fault['entity']} {fault['dt']}" for fault in faults if fault["is_acceptable"]})
        hint = f"what can be accepted now: {', '.join(stopped)}" if stopped else "no partition stopped the last night"
        raise UsageFault(f"nothing of {entity} {dt} waits for acceptance", hint)
    hard = [fault for fault in of_partition if not fault["is_acceptable"]]
    if hard or any(fault["content_digest"] != entry.content_digest for fault in of_partition):
        text = hard[0]["text"] if hard else "it has been collected again since it stopped"
        raise UsageFault(f"{entity} {dt} cannot be accepted: {text}", f"run `nightcart night {as_of}` again")
    row = {"entity": entity, "dt": dt, "content_digest": entry.content_digest}
    where = sa.and_(*(acceptances.c[name] == value for name, value in row.items()))
    home.records.replace(acceptances, [row | {"reason": reason.strip(), "accepted_at": clock()}], where)
    return {"entity": entity, "dt": str(dt), "as_of": str(as_of), "faults": [fault["text"] for fault in of_partition]}


def _newest_collected(home: Home) -> tuple[date | None, tuple[Entry, ...]]:
    """The newest night that collected, and what."""
    keys = (key for key in home.storage.keys("incoming") if key.endswith("/manifest.json"))
    for as_of in sorted((date.fromisoformat(key.split("/")[1]) for key in keys), reverse=True):
        manifest = read_manifest(home.storage, as_of)
        if manifest and not manifest.why:
            return as_of, manifest.partitions
    return None, ()
