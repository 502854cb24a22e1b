"""Collect: new and changed partitions of the landing zone, pseudonymised, as Parquet under the home."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

from pipelines.contract import ENTITIES
from pipelines.home import Home, code_digest
from pipelines.ingest.engine import Engine, open_engine
from pipelines.ingest.landing import Landed, Partition, list_landing
from pipelines.ingest.ledger import Ledger, begin_attempt, note_fingerprint, read_ledger, why_not_collect
from pipelines.ingest.manifest import Entry, Manifest, folder_of, known_at_of, read_manifest, write_manifest
from pipelines.ingest.pseudonymise import pseudonym
from pipelines.ingest.read import UNREADABLE, PartitionFault, read_partition
from pipelines.storage import digest_of, sha256_of


def collect(home: Home, as_of: date) -> dict[str, Any]:
    """Collect every complete partition before as_of whose content has not been loaded by another night.

    Raises:
        IncomingFault: the landing zone is not there. What is wrong with a partition is left to validate.
    """
    begin_attempt(home.records, as_of)
    if why := why_not_collect(home.records, as_of):
        write_manifest(home.storage, Manifest(as_of, why=why))
        return {"partitions": 0, "why": why, "rows": {}, "late": 0, "faults": 0, "warnings": [], "incomplete": []}
    landed = list_landing(home.landing, lambda dt: dt < as_of)
    made_with = digest_of([code_digest(), pseudonym("made with", home.key)])
    before = read_manifest(home.storage, as_of)
    reusable = before.partitions if before and before.made_with == made_with else ()
    ledger = read_ledger(home.records, as_of)
    entries = _collect_all(home, as_of, landed, ledger, reusable)
    incomplete = tuple(f"{partition.entity} {partition.dt}" for partition in landed.incomplete)
    manifest = Manifest(as_of, entries, None, made_with, incomplete, tuple(landed.warnings), ledger.newest_night)
    write_manifest(home.storage, manifest)
    return _result(manifest)


def _collect_all(
    home: Home, as_of: date, landed: Landed, ledger: Ledger, reusable: tuple[Entry, ...]
) -> tuple[Entry, ...]:
    known = {(entry.entity, entry.dt): entry for entry in reusable}
    entries = []
    with open_engine(home) as engine:
        for partition in landed.partitions:
            slot = (partition.entity, partition.dt)
            fingerprint = partition.fingerprint()
            loaded = ledger.last.get(slot)
            if loaded and loaded["fingerprint"] == fingerprint:
                continue
            entry = _reuse(home, known.get(slot), fingerprint) or _read(home, engine, as_of, partition, fingerprint)
            if loaded and loaded["content_digest"] == entry.content_digest:
                note_fingerprint(home.records, loaded, fingerprint)
            else:
                entries.append(entry)
    first = _first_of(landed)
    return tuple(_with_times(entry, as_of, ledger, first) for entry in entries)


def _first_of(landed: Landed) -> dict[str, date]:
    first: dict[str, date] = {}
    for partition in landed.partitions:
        first[partition.entity] = min(partition.dt, first.get(partition.entity, partition.dt))
    return first


def _reuse(home: Home, entry: Entry | None, fingerprint: str) -> Entry | None:
    """What an earlier attempt collected, if the files have not changed since and its copy is whole."""
    if not entry or not entry.key or entry.fingerprint != fingerprint or not home.storage.exists(entry.key):
        return None
    return entry if sha256_of(home.storage.path(entry.key)) == entry.content_digest else None


def _read(home: Home, engine: Engine, as_of: date, partition: Partition, fingerprint: str) -> Entry:
    entity = ENTITIES[partition.entity]
    blank = Entry(partition.entity, partition.dt, fingerprint, None, 0, False, False, None, None)
    try:
        found = read_partition(engine, partition, entity, home.key)
        if not partition.is_as_listed():
            raise PartitionFault(UNREADABLE, "its files were written to while they were read")
    except PartitionFault as fault:
        said = {"rule": fault.rule, "column": fault.column, "text": fault.text}
        return replace(blank, fault=said)
    key = f"{folder_of(as_of)}/{partition.entity}/{partition.dt}.parquet"
    digest = home.storage.put_table(key, found.rows)
    return replace(blank, content_digest=digest, rows=found.rows.num_rows, key=key, warnings=found.warnings)


def _with_times(entry: Entry, as_of: date, ledger: Ledger, first: dict[str, date]) -> Entry:
    """History, lateness and known_at, which follow from what other nights have loaded by now."""
    is_late = ledger.newest_night is not None and entry.dt < ledger.newest_night
    is_history = not ledger.has(entry.entity) and entry.dt == first[entry.entity] and not is_late
    known_at = known_at_of(
        entry.dt,
        as_of=as_of,
        is_late=is_late,
        is_history=is_history,
        is_always_known=ENTITIES[entry.entity].is_always_known_in_history,
    )
    return replace(entry, is_late=is_late, is_history=is_history, known_at=known_at)


def _result(manifest: Manifest) -> dict[str, Any]:
    rows: Counter[str] = Counter()
    for entry in manifest.partitions:
        rows[entry.entity] += entry.rows
    odd = [f"{entry.name}: {text}" for entry in manifest.partitions for text in entry.warnings]
    return {
        "partitions": len(manifest.partitions),
        "why": None,
        "rows": dict(rows),
        "late": sum(entry.is_late for entry in manifest.partitions),
        "faults": sum(entry.fault is not None for entry in manifest.partitions),
        "warnings": [*manifest.warnings, *odd],
        "incomplete": list(manifest.incomplete),
    }
