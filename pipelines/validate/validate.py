"""Validate: what came in is told into rows to load and rows for quarantine, or the night stops before it loads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from pipelines.contract import ENTITIES, Entity
from pipelines.home import Home
from pipelines.ingest.engine import Engine, open_engine
from pipelines.ingest.ledger import read_ledger
from pipelines.ingest.manifest import Entry, Manifest, folder_of, need_manifest
from pipelines.ingest.read import FAULT
from pipelines.records import acceptances, nights, quarantine_counts
from pipelines.storage import ROW_GROUP, Storage
from pipelines.validate.expectations import CHUNK, ROW, Runs, frame_sql
from pipelines.validate.faults import Fault, stop, write_faults
from pipelines.validate.left_out import accepted_key, by_entity, read_left_out, reasons
from pipelines.validate.partitions import age_faults, missing_faults, share_fault, volume_faults
from pipelines.validate.rows import COLLAPSED, DROPPED, Rows

NOTHING: dict[str, Any] = {
    "partitions": 0,
    "accepted": {},
    "quarantined": {},
    "collapsed": 0,
    "dropped": 0,
    "accepted_faults": 0,
    "left_out": {},
    "docs": None,
}


@dataclass
class Findings:
    """What the checks of a night found so far."""

    faults: list[Fault] = field(default_factory=list)
    counts: list[dict[str, Any]] = field(default_factory=list)  # bad rows by entity, dt and rule
    accepted: dict[str, int] = field(default_factory=dict)
    repeats: Counter[str] = field(default_factory=Counter)
    left_out: list[Fault] = field(default_factory=list)  # of optional entities: their partitions wait for a fix


def validate_incoming(home: Home, as_of: date) -> dict[str, Any]:
    """Check what the night of as_of collected, and write the rows to load.

    Raises:
        IncomingFault: something stops the night; all that is wrong is listed.
    """
    manifest = need_manifest(home.storage, as_of)
    if manifest.why:
        return NOTHING | {"why": manifest.why, "left_out": by_entity(read_left_out(home.storage, as_of))}
    _clear(home.storage, as_of)
    runs, findings, ledger = Runs(home.root / "data_docs" / str(as_of)), Findings(), read_ledger(home.records, as_of)
    with open_engine(home) as engine:
        for entity in ENTITIES.values():
            _check_entity(home, engine, entity, manifest, runs, findings)
    docs = runs.publish()
    findings.faults += missing_faults(manifest, ledger)
    findings.faults += volume_faults(manifest, ledger, home.settings.validate_)
    findings.faults += age_faults(manifest, ledger, home.settings.validate_.max_age_days)
    left = _not_accepted(home, findings.faults)
    _count_quarantine(home, manifest, [] if left else findings.counts)
    if left or findings.left_out:
        write_faults(home.storage, as_of, left + findings.left_out)
    if left:
        raise stop(as_of, left)
    _accept(home.storage, manifest, findings)
    return _result(manifest, findings, docs)


def _accept(storage: Storage, manifest: Manifest, findings: Findings) -> None:
    """Tell load what it may take: this manifest without the partitions that are left out."""
    bad_rows: Counter[str] = Counter()
    for count in findings.counts:
        bad_rows[f"{count['entity']} {count['dt']}"] += count["rows"]
    said = {"manifest": manifest.digest, "bad_rows": bad_rows, "left_out": reasons(findings.left_out)}
    storage.put_json(accepted_key(manifest.as_of), said)


def _clear(storage: Storage, as_of: date) -> None:
    """Nothing of an earlier attempt may be taken for this one's."""
    for name in ("accepted.json", "faults.json"):
        storage.remove(f"{folder_of(as_of)}/{name}")
    storage.remove(f"{folder_of(as_of)}/accepted")
    storage.remove(f"quarantine/{as_of}")


def _check_entity(
    home: Home, engine: Engine, entity: Entity, manifest: Manifest, runs: Runs, findings: Findings
) -> None:
    faults = [_unread(entry) for entry in manifest.partitions if entry.entity == entity.name and entry.fault]
    counts: list[dict[str, Any]] = []
    if entries := manifest.of(entity.name):
        rows = Rows(engine, entity)
        rows.open(home.storage, entries)
        _run_suite(engine, entity, sum(entry.rows for entry in entries), runs)
        rows.judge(runs.bad_rows(entity.name))
        counts = rows.counts()
        for entry in entries:
            of_entry = [count for count in counts if count["dt"] == entry.dt]
            faults += share_fault(entry, of_entry, home.settings.validate_.max_bad_row_share)
        failed = [(rule, text) for name, rule, text in runs.failed if name == entity.name]
        faults += [
            Fault(entity.name, entry.dt if not entity.required else None, rule, text)
            for rule, text in failed
            for entry in (entries[:1] if entity.required else entries)
        ]
    out: set[date] = set()
    if entity.required:
        findings.faults += faults
    else:
        left_out = _not_accepted(home, faults)
        findings.left_out += left_out
        findings.faults += [fault for fault in faults if fault not in left_out]  # accepted
        out = {fault.dt for fault in left_out if fault.dt}
    if entries:
        _keep_rows(home.storage, rows, manifest.as_of, counts, out, findings)


def _run_suite(engine: Engine, entity: Entity, count: int, runs: Runs) -> None:
    """Run an entity's suite over its rows, some at a time."""
    for chunk, start in enumerate(range(0, count, CHUNK)):
        where = f"{FAULT} is null and {ROW} >= {start} and {ROW} < {start + CHUNK}"
        frame = engine.table(f"select {frame_sql(entity)} from rows where {where} order by {ROW}")
        if frame.num_rows:
            runs.check(entity.name, chunk, frame)


def _keep_rows(
    storage: Storage, rows: Rows, as_of: date, counts: list[dict[str, Any]], out: set[date], findings: Findings
) -> None:
    """Write an entity's rows to load, but those of the partitions that are left out, and its bad rows."""
    name = rows.entity.name
    findings.counts += [count | {"entity": name} for count in counts if count["dt"] not in out]
    findings.repeats.update(rows.repeats())
    accepted = f"{folder_of(as_of)}/accepted/{name}.parquet"
    findings.accepted[name] = _write(storage, rows.engine, accepted, rows.accepted_sql(out))
    if counts:
        _write(storage, rows.engine, f"quarantine/{as_of}/{name}.parquet", rows.quarantine_sql())


def _write(storage: Storage, engine: Engine, key: str, sql: str) -> int:
    """Write a query's rows as Parquet under a key, some at a time; returns how many."""
    file, count = storage.scratch(".parquet"), 0
    try:
        reader = engine.reader(sql, ROW_GROUP)
        with pq.ParquetWriter(file, reader.schema, compression="zstd") as writer:
            for batch in reader:
                count += batch.num_rows
                writer.write_table(pa.Table.from_batches([batch]))
        storage.put(key, file)
    finally:
        file.unlink(missing_ok=True)
    return count


def _unread(entry: Entry) -> Fault:
    found = entry.fault or {}
    return Fault(entry.entity, entry.dt, found["rule"], found["text"], column=found["column"])


def _not_accepted(home: Home, faults: list[Fault]) -> list[Fault]:
    rows = home.records.rows(sa.select(acceptances))
    accepted = {(row["entity"], row["dt"], row["content_digest"]) for row in rows}
    return [
        fault
        for fault in faults
        if not fault.is_acceptable or (fault.entity, fault.dt, fault.content_digest) not in accepted
    ]


def _count_quarantine(home: Home, manifest: Manifest, counts: list[dict[str, Any]]) -> None:
    """Put the night's counts in the place of its earlier attempts', and of nights that stopped and never loaded."""
    late = {(entry.entity, entry.dt) for entry in manifest.partitions if entry.is_late}
    rows = [
        {
            "entity": count["entity"],
            "rule": count["rule"],
            "dt": count["dt"],
            "loaded_as_of": manifest.as_of,
            "night": manifest.as_of if (count["entity"], count["dt"]) in late else count["dt"] + timedelta(days=1),
            "rows": count["rows"],
        }
        for count in counts
    ]
    loaded = sa.select(nights.c.as_of).where(nights.c.loaded_at.is_not(None))
    column = quarantine_counts.c.loaded_as_of
    home.records.replace(quarantine_counts, rows, (column == manifest.as_of) | column.not_in(loaded))


def _result(manifest: Manifest, findings: Findings, docs: str | None) -> dict[str, Any]:
    quarantined: Counter[str] = Counter()
    for count in findings.counts:
        quarantined[count["entity"]] += count["rows"]
    return NOTHING | {
        "partitions": len(manifest.partitions),
        "accepted": findings.accepted,
        "quarantined": dict(quarantined),
        "collapsed": findings.repeats[COLLAPSED],
        "dropped": findings.repeats[DROPPED],
        "accepted_faults": len(findings.faults),
        "left_out": by_entity(reasons(findings.left_out)),
        "docs": docs,
        "why": None,
    }
