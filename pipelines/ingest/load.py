"""Load: accepted rows become versions in the warehouse's `raw`; the ledger remembers what was loaded."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from pipelines.contract import ENTITIES, META, ORDERS, Entity
from pipelines.errors import Busy, IncomingFault
from pipelines.home import Home
from pipelines.ingest.casts import SQL
from pipelines.ingest.ledger import read_ledger
from pipelines.ingest.manifest import Entry, Manifest, folder_of, need_manifest
from pipelines.records import clock, nights, partitions
from pipelines.warehouse import Session

ONE_DAY = timedelta(days=1)


def load(home: Home, as_of: date) -> dict[str, Any]:
    """Append the night's accepted rows; a retry first takes away what it loaded before.

    Where another night has loaded since this one collected, what is new has changed: it collects again.

    Raises:
        IncomingFault: what was collected last has not passed validate.
        Busy: another night loaded just now; a retry collects again.
    """
    manifest = _collected(home, as_of)
    if manifest.why:
        with home.warehouse.session() as session:
            _create_tables(session)
        return {"rows": dict.fromkeys(ENTITIES, 0), "why": manifest.why}
    accepted = _need_accepted(home, manifest)
    with home.warehouse.session() as session:
        if _is_overtaken(home, manifest):
            raise Busy(f"another night loaded while that of {as_of} waited for it", "run it again: it collects again")
        session.execute("begin")
        _create_tables(session)
        _forget(session, home, as_of)
        rows = {name: _append(session, home, manifest, ENTITIES[name]) for name in _orders_first()}
        session.execute("commit")
        _record(home, manifest, accepted)
    return {"rows": {name: rows[name] for name in ENTITIES}, "why": None}


def _collected(home: Home, as_of: date) -> Manifest:
    """What the night collected, anew if that was overtaken: two nights of a backfill may run at once."""
    from pipelines.steps import run_step

    manifest = need_manifest(home.storage, as_of)
    if not manifest.why and _is_overtaken(home, manifest):
        run_step("collect", as_of)
        run_step("validate", as_of)
        return need_manifest(home.storage, as_of)
    return manifest


def _is_overtaken(home: Home, manifest: Manifest) -> bool:
    return read_ledger(home.records, manifest.as_of).newest_night != manifest.newest


def _need_accepted(home: Home, manifest: Manifest) -> dict[str, Any]:
    key = f"{folder_of(manifest.as_of)}/accepted.json"
    accepted: dict[str, Any] = home.storage.read_json(key) if home.storage.exists(key) else {}
    if accepted.get("manifest") != manifest.digest:
        raise IncomingFault(
            f"what the night of {manifest.as_of} collected has not passed validation",
            f"run `nightcart step validate {manifest.as_of}` first",
        )
    return accepted


def _orders_first() -> list[str]:
    """An order line's times are its order's."""
    return sorted(ENTITIES, key=lambda name: name != ORDERS.name)


def _create_tables(session: Session) -> None:
    session.execute("create schema if not exists raw")
    for entity in ENTITIES.values():
        columns = [f'"{column.name}" {SQL[column.type]}' for column in entity.columns]
        meta = [f"{META.dt} date", f"{META.known_at} timestamp", f"{META.loaded_as_of} date"]
        session.execute(f"create table if not exists raw.{entity.name} ({', '.join(columns + meta)})")


def _forget(session: Session, home: Home, as_of: date) -> None:
    """Take away what earlier attempts of this night loaded, and what a night left that never came to record it."""
    loaded = home.records.rows(sa.select(nights.c.as_of).where(nights.c.loaded_at.is_not(None)))
    kept = ", ".join(f"date '{row['as_of']}'" for row in loaded if row["as_of"] != as_of)
    for name in ENTITIES:
        session.execute(f"delete from raw.{name}" + (f" where {META.loaded_as_of} not in ({kept})" if kept else ""))


def _append(session: Session, home: Home, manifest: Manifest, entity: Entity) -> int:
    as_of = manifest.as_of
    key = f"{folder_of(as_of)}/accepted/{entity.name}.parquet"
    if not home.storage.exists(key):
        return 0
    columns = ", ".join(f'a."{name}"' for name in entity.column_names)
    known_at, orders = f"a.{META.known_at}", ""
    history = next((entry.dt for entry in manifest.of(entity.name) if entry.known_at is None), None)
    if history and entity.happened is None:
        known_at, orders = _known_with_order(history)
    session.execute(
        f"insert into raw.{entity.name} select {columns}, a.{META.dt}, {known_at}, date '{as_of}' "
        f"from {session.parquet(home.storage.path(key))} as a {orders}"
    )
    counted = session.read(f"select count(*) as n from raw.{entity.name} where {META.loaded_as_of} = date '{as_of}'")
    return int(counted["n"][0].as_py())


def _known_with_order(history: date) -> tuple[str, str]:
    """A history line is known when its order happened: the order's first version, if it came no later than the line."""
    order_id, ordered_at = ORDERS.key[0], ORDERS.happened
    first = (
        f"select {order_id}, {ordered_at}, row_number() over "
        f"(partition by {order_id} order by {META.dt}, {META.known_at}) as version "
        f"from raw.{ORDERS.name} where {META.dt} <= date '{history}'"
    )
    day_after = f"date_trunc('day', o.{ordered_at}) + interval '1 day'"
    known_at = f"coalesce(a.{META.known_at}, {day_after}, timestamp '{history + ONE_DAY}')"
    return known_at, f"left join ({first}) as o on o.{order_id} = a.{order_id} and o.version = 1"


def _record(home: Home, manifest: Manifest, accepted: dict[str, Any]) -> None:
    """Note what was loaded; a partition that was left out is not, so that the next night collects it again."""
    as_of, bad_rows = manifest.as_of, accepted["bad_rows"]
    loaded = [entry for entry in manifest.partitions if entry.name not in accepted["left_out"]]
    rows = [_ledger_row(entry, as_of, bad_rows.get(entry.name, 0)) for entry in loaded]
    with home.records.begin() as connection:
        connection.execute(sa.delete(partitions).where(partitions.c.loaded_as_of == as_of))
        if rows:
            connection.execute(sa.insert(partitions), rows)
        connection.execute(sa.update(nights).where(nights.c.as_of == as_of).values(loaded_at=clock(), built_at=None))


def _ledger_row(entry: Entry, as_of: date, bad_rows: int) -> dict[str, Any]:
    known_at = entry.known_at if entry.known_at and entry.is_late else entry.dt + ONE_DAY
    return {
        "entity": entry.entity,
        "dt": entry.dt,
        "loaded_as_of": as_of,
        "content_digest": entry.content_digest,
        "fingerprint": entry.fingerprint,
        "known_at": known_at,
        "is_history": entry.is_history,
        "is_late": entry.is_late,
        "rows": entry.rows,
        "bad_rows": bad_rows,
    }
