"""Which release readers see: pure decisions over the rows of `releases` and the pointer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.records import Row

PUBLISHED, SUPERSEDED, ROLLED_BACK = "published", "superseded", "rolled_back"


@dataclass(frozen=True)
class Placement:
    """The releases as they will be, and which of them is current."""

    rows: list[Row]
    current: str
    is_rollback: bool


def place(rows: Sequence[Row], pointer: Row | None, new: Row) -> Placement:
    """Place a night's release: the greatest as_of is current, and of that as_of the one published last.

    A backfill of an older night doesn't move the pointer; a rollback holds until a night newer than any before.
    """
    before = next((row for row in rows if row["release_id"] == new["release_id"]), None)
    others = [row for row in rows if row is not before]
    if before and not any(_order(other) > _order(before) for other in others if other["as_of"] == new["as_of"]):
        new = new | {"published_at": before["published_at"], "attempt": before["attempt"]}
    if not _moves(rows, pointer, new):
        status = before["status"] if before else SUPERSEDED
        assert pointer is not None
        return Placement(_sorted([*others, new | {"status": status}]), pointer["release_id"], pointer["is_rollback"])
    stays = pointer is not None and pointer["release_id"] == new["release_id"]
    others = [row | {"status": SUPERSEDED} if row["status"] == PUBLISHED else row for row in others]
    is_rollback = stays and pointer is not None and pointer["is_rollback"]
    return Placement(_sorted([*others, new | {"status": PUBLISHED}]), new["release_id"], is_rollback)


def place_back(rows: Sequence[Row], pointer: Row, release_id: str) -> Placement:
    """Make a release that was published before the current one again."""
    if release_id == pointer["release_id"]:
        return Placement(_sorted(rows), release_id, pointer["is_rollback"])
    by_id = {row["release_id"]: row for row in rows}
    current, target = by_id[pointer["release_id"]], by_id[release_id]
    left = ROLLED_BACK if _order(current) > _order(target) else SUPERSEDED
    others = [row for row in rows if row["release_id"] not in (current["release_id"], release_id)]
    after = [*others, current | {"status": left}, target | {"status": PUBLISHED}]
    return Placement(_sorted(after), release_id, is_rollback=max(rows, key=_order)["release_id"] != release_id)


def _moves(rows: Sequence[Row], pointer: Row | None, new: Row) -> bool:
    if pointer is None or pointer["release_id"] == new["release_id"]:
        return True
    if pointer["is_rollback"]:
        return bool(new["as_of"] > max(row["as_of"] for row in rows))
    current = next(row for row in rows if row["release_id"] == pointer["release_id"])
    return bool(new["as_of"] >= current["as_of"])


def _order(row: Row) -> tuple[object, ...]:
    return row["as_of"], row["published_at"], row["release_id"]


def _sorted(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=_order)
