"""The ledger: which content of which partition was loaded, and by which night."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from pipelines.record_store import Records
from pipelines.records import Row, nights, partitions, releases

Slot = tuple[str, date]  # entity, dt


@dataclass(frozen=True)
class Ledger:
    """The last content loaded of each partition, by nights other than the one that asks."""

    last: dict[Slot, Row]
    newest_night: date | None  # of the others

    def has(self, entity: str) -> bool:
        """Whether anything of an entity was ever loaded."""
        return any(slot[0] == entity for slot in self.last)

    def of(self, entities: Iterable[str]) -> list[Row]:
        """The last content of each partition of some entities."""
        wanted = set(entities)
        return [row for (entity, _), row in self.last.items() if entity in wanted]


def read_ledger(records: Records, as_of: date) -> Ledger:
    """The ledger as the night of as_of sees it: what it loaded itself in an earlier attempt does not count."""
    query = sa.select(partitions).where(partitions.c.loaded_as_of != as_of).order_by(partitions.c.loaded_as_of)
    last = {(row["entity"], row["dt"]): row for row in records.rows(query)}
    newest = sa.select(sa.func.max(nights.c.as_of).label("as_of"))
    found = records.first(newest.where(nights.c.loaded_at.is_not(None), nights.c.as_of != as_of))
    return Ledger(last, found["as_of"] if found else None)


def why_not_collect(records: Records, as_of: date) -> str | None:
    """Why the night of as_of brings nothing in: a newer one has, or it is published; None if it may."""
    newest = records.newest_loaded_night()
    if newest and newest > as_of:
        return f"the newer night of {newest} has loaded: a night only appends to what those before it saw"
    if records.first(sa.select(releases.c.as_of).where(releases.c.as_of == as_of)):
        return f"the night of {as_of} is published: what came since belongs to the next night"
    return None


def begin_attempt(records: Records, as_of: date) -> int:
    """Count an attempt of a night; that it has loaded once stays on record. Returns the attempt's number."""
    with records.begin() as connection:
        where = nights.c.as_of == as_of
        if connection.execute(sa.update(nights).where(where).values(attempt=nights.c.attempt + 1)).rowcount == 0:
            connection.execute(sa.insert(nights).values(as_of=as_of, attempt=1))
        return int(connection.execute(sa.select(nights.c.attempt).where(where)).scalar_one())


def note_fingerprint(records: Records, row: Row, fingerprint: str) -> None:
    """The files were written again with the same content: remember how they look now."""
    where = sa.and_(*(partitions.c[name] == row[name] for name in ("entity", "dt", "loaded_as_of")))
    with records.begin() as connection:
        connection.execute(sa.update(partitions).where(where).values(fingerprint=fingerprint))
