"""Publish: make one release the one that readers see, all tables at once; and go back to an older one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from filelock import FileLock, Timeout

from pipelines.catalog import RECORD_TABLES, Dataset
from pipelines.errors import Busy, NightcartError, UsageFault
from pipelines.home import Home
from pipelines.publishing.manifest import Manifest, checked_files, digests_of, read_manifest, rows_of, write_manifest
from pipelines.publishing.placement import PUBLISHED, Placement, place, place_back
from pipelines.publishing.release import scores_of
from pipelines.records import Row, clock, metadata, nights, pointer, quarantine_counts, releases

WAIT_SECONDS = 600.0


def publish(home: Home, as_of: date) -> Row:
    """Publish the night's audited release; a second time it gives the same release.

    Raises:
        Busy: a newer attempt at the night has begun, or another process is publishing.
        NightcartError: the release was not audited, a file of it is not what was audited, or the disk is full.
    """
    attempt = _attempt(home, as_of)
    manifest = _audited(home, as_of)
    with _one_at_a_time(home):
        rows, now = _rows(home)
        placement = place(rows, now, _release_row(as_of, attempt, manifest))
        _show(home, placement, lambda: _refuse_if_superseded(home, as_of, attempt))
        _record(home, placement)
    return {
        "release_id": manifest["release_id"],
        "is_current": placement.current == manifest["release_id"],
        "current": placement.current,
        "tables": rows_of(manifest),
        "skipped": manifest["skipped"],
    }


def rollback(home: Home, release_id: str) -> Row:
    """Make an older release the current one again, until a night newer than any published before.

    Raises:
        UsageFault: there is no such release.
        StorageFault: a file of it is gone or has been changed.
    """
    with _one_at_a_time(home):
        rows, now = _rows(home)
        known = [row["release_id"] for row in rows]
        if now is None or release_id not in known:
            latest = ", ".join(reversed(known[-5:])) or "none yet"
            raise UsageFault(f"there is no release {release_id}", f"the latest are {latest}; see `nightcart releases`")
        placement = place_back(rows, now, release_id)
        _show(home, placement, lambda: None)
        _record(home, placement)
    return {"release_id": release_id, "was": now["release_id"], "is_rollback": placement.is_rollback}


def query(home: Home, sql: str) -> pa.Table:
    """Rows of what is published; names work with and without `published.`; nothing can be written.

    Raises:
        UsageFault: the SQL is wrong.
        NothingToDo: nothing has been published yet.
    """
    return home.warehouse.query(sql)


def export(home: Home, folder: Path) -> Row:
    """Write each published table of the current release as `<table>.parquet`; an empty one is typed too.

    Raises:
        UsageFault: the folder cannot be written.
        NothingToDo: nothing has been published yet.
    """
    counts = home.warehouse.export(folder)
    table = pq.read_table(folder / "releases.parquet", columns=["release_id", "status"])
    current = next(row["release_id"] for row in table.to_pylist() if row["status"] == PUBLISHED)
    return {"release_id": current, "tables": counts}


def record_table(home: Home, dataset: Dataset, placement: Placement) -> pa.Table:
    """One table of all nights, as it is published; JSON as text."""
    if dataset.name == "releases":
        rows = placement.rows
    elif dataset.name == "quarantine_counts":
        night = next(row["as_of"] for row in placement.rows if row["release_id"] == placement.current)
        rows = _quarantine(home, night)
    else:
        table = metadata.tables[dataset.name]
        order = [table.c[name] for name in dataset.key]
        rows = home.records.rows(sa.select(*(table.c[name] for name in dataset.column_names)).order_by(*order))
    values = [{name: _plain(row[name]) for name in dataset.column_names} for row in rows]
    return pa.Table.from_pylist(values, schema=dataset.schema)


def _audited(home: Home, as_of: date) -> Manifest:
    """The release's list of files, when these are the ones that passed the audit."""
    scores = scores_of(home, as_of)
    manifest = write_manifest(home, as_of, scores)
    audited = home.records.result(as_of, "audit")
    if audited.get("release_id") != manifest["release_id"] or audited.get("digests") != digests_of(manifest):
        raise NightcartError(
            f"release {manifest['release_id']} is not what passed the audit "
            f"(found an audit of {audited.get('release_id') or 'nothing'})",
            f"run `nightcart step audit {as_of}` first",
        )
    return manifest


def _release_row(as_of: date, attempt: int, manifest: Manifest) -> Row:
    return {
        "release_id": manifest["release_id"],
        "as_of": as_of,
        "published_at": clock(),
        "attempt": attempt,
        "rows": rows_of(manifest),
        "model_versions": manifest["models"],
        "snapshot_digests": manifest["snapshots"],
        "skipped": manifest["skipped"],
        "inputs_digest": manifest["inputs_digest"],
    }


def _show(home: Home, placement: Placement, confirm: Callable[[], None]) -> None:
    """Give readers the current release, with the tables of all nights beside it."""
    manifest = read_manifest(home, placement.current)
    records = {dataset.name: record_table(home, dataset, placement) for dataset in RECORD_TABLES}
    as_of = date.fromisoformat(manifest["as_of"])
    home.warehouse.publish(checked_files(home, manifest), records, placement.current, as_of, confirm)


def _record(home: Home, placement: Placement) -> None:
    """Releases and pointer in one transaction, after readers have it: a retry repairs a death in between."""
    now = {"id": 1, "release_id": placement.current, "is_rollback": placement.is_rollback}
    try:
        with home.records.begin() as connection:
            connection.execute(sa.delete(releases))
            connection.execute(sa.insert(releases), placement.rows)
            connection.execute(sa.delete(pointer))
            connection.execute(sa.insert(pointer), [now])
    except sa.exc.OperationalError as error:
        raise NightcartError(
            f"readers see release {placement.current}, but the records could not be written: {error.orig}",
            "if the disk is full make room on it, then do the same again: it brings both into line",
        ) from error


def _rows(home: Home) -> tuple[list[Row], Row | None]:
    order = (releases.c.as_of, releases.c.published_at, releases.c.release_id)
    return home.records.rows(sa.select(releases).order_by(*order)), home.records.first(sa.select(pointer))


def _attempt(home: Home, as_of: date) -> int:
    row = home.records.first(sa.select(nights.c.attempt).where(nights.c.as_of == as_of))
    return int(row["attempt"]) if row else 0


def _refuse_if_superseded(home: Home, as_of: date, attempt: int) -> None:
    if (newest := _attempt(home, as_of)) != attempt:
        raise Busy(
            f"attempt {attempt} at the night of {as_of} was overtaken by attempt {newest}; it publishes nothing",
            "leave it to the newer attempt",
        )


@contextmanager
def _one_at_a_time(home: Home) -> Iterator[None]:
    try:
        with FileLock(home.root / "publish.lock", timeout=WAIT_SECONDS), home.warehouse.publishing():
            yield
    except Timeout as error:
        raise Busy(f"another process is publishing in {home.root}", "wait for it, then try again") from error


def _quarantine(home: Home, night: date) -> list[Row]:
    table = quarantine_counts.c
    keys = (table.entity, table.rule, table.night)
    query = sa.select(*keys, sa.func.sum(table.rows).label("rows")).where(table.night <= night)
    return home.records.rows(query.group_by(*keys).order_by(*keys))


def _plain(value: Any) -> Any:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value
