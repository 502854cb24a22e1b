"""What nights must have loaded, read off the delivered files in plain Python: the contract's sentences, other code.

It knows nothing but the files and which of them lay there before which night.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

KEYS = {  # orders before their lines, which are known with them
    "customers": ("customer_id",),
    "products": ("product_id",),
    "orders": ("order_id",),
    "order_lines": ("order_id", "line_number"),
}
HAPPENED = {"customers": "updated_at", "products": "updated_at", "orders": "ordered_at"}
ALWAYS = datetime(1970, 1, 1)  # noqa: DTZ001 - naive is UTC
TYPES: dict[str, Callable[[str], Any]] = {
    "line_number": int,
    "quantity": int,
    "unit_price": Decimal,
    "discount": Decimal,
    "is_active": lambda text: text == "true",
}
Slot = tuple[str, date]


class Row(dict[str, Any]):
    """A row; a column that was not delivered is null."""

    def __missing__(self, column: str) -> None:
        return None


class Witness:
    """The versions that each night must have loaded, with dt, known_at and loaded_as_of; rows of no use are counted."""

    def __init__(self, deliveries: Mapping[date, Path]) -> None:
        self.versions: dict[str, list[Row]] = {entity: [] for entity in KEYS}
        self.quarantined: Counter[date] = Counter()
        self.late: Counter[date] = Counter()
        self.again: Counter[date] = Counter()  # partitions that came again with the same content
        self.before: date | None = None  # the newest night that has run
        landing: dict[Slot, list[Row]] = {}
        loaded: dict[Slot, list[Row]] = {}
        for night in sorted(deliveries):
            came = partitions_in(deliveries[night])
            landing |= came
            self.again[night] = sum(loaded.get(slot) == rows for slot, rows in came.items())
            new = {slot: rows for slot, rows in landing.items() if slot[1] < night and loaded.get(slot) != rows}
            self._load(night, new)
            loaded |= new
            self.before = night

    def _load(self, night: date, new: dict[Slot, list[Row]]) -> None:
        for entity in KEYS:
            is_first, days = not self.versions[entity], sorted(dt for name, dt in new if name == entity)
            for dt in days:
                rows, bad = sorted_out(entity, dt, new[entity, dt])
                self.quarantined[night] += bad
                is_late = self.before is not None and dt < self.before
                self.late[night] += is_late
                is_history = is_first and dt == days[0]
                for row in rows:
                    known_at = self._known_at(entity, row, dt, night if is_late else None, is_history)
                    self.versions[entity].append(Row(row, dt=dt, known_at=known_at, loaded_as_of=night))

    def _known_at(self, entity: str, row: Row, dt: date, late_for: date | None, is_history: bool) -> datetime:
        if late_for:
            return midnight(late_for)
        if not is_history:
            return midnight(dt) + timedelta(days=1)
        if entity in ("customers", "products"):
            return ALWAYS
        happened = row["ordered_at"] if entity == "orders" else self._ordered_at(row["order_id"], dt)
        return midnight(happened.date() if happened else dt) + timedelta(days=1)

    def _ordered_at(self, order_id: str, history: date) -> datetime | None:
        """When the order of a line of the history happened; None if it came later than that."""
        orders = self.versions["orders"]
        found = [order for order in orders if order["order_id"] == order_id and order["dt"] <= history]
        return found[0]["ordered_at"] if found else None


def midnight(day: date) -> datetime:
    """00:00 of a day."""
    return datetime.combine(day, time())


def partitions_in(folder: Path) -> dict[Slot, list[Row]]:
    """The complete partitions under a folder: their rows, sorted, since the same rows are the same content."""
    found = {}
    for success in sorted(folder.glob("*/dt=*/_SUCCESS")):
        entity, dt = success.parent.parent.name, date.fromisoformat(success.parent.name.removeprefix("dt="))
        rows = [row for file in success.parent.iterdir() if file != success for row in rows_in(file)]
        found[entity, dt] = sorted(rows, key=lambda row: sorted((name, str(value)) for name, value in row.items()))
    return found


def rows_in(file: Path) -> list[Row]:
    """The rows of a file without their nulls."""
    if file.suffix == ".parquet":
        rows = pq.read_table(file).to_pylist()
    else:
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        rows = [
            {name: typed(name, value) for name, value in row.items() if value}
            for row in csv.DictReader(text.decode().splitlines())
        ]
    return [Row((name, value) for name, value in row.items() if value is not None) for row in rows]


def typed(column: str, text: str) -> Any:
    """The value of a CSV cell; a time of another zone in UTC, naive."""
    if column.endswith("_at"):
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    return TYPES.get(column, str)(text)


def sorted_out(entity: str, dt: date, rows: list[Row]) -> tuple[list[Row], int]:
    """One row a key of a partition, and how many rows are bad."""
    good = [row for row in rows if is_believable(entity, dt, row)]
    by_key: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in good:
        of_key = by_key[tuple(row[column] for column in KEYS[entity])]
        if row not in of_key:  # identical repeats collapse
            of_key.append(row)
    kept, bad = [], len(rows) - len(good)
    for of_key in by_key.values():
        newest = max((row["updated_at"] for row in of_key if row["updated_at"]), default=None)
        latest = [row for row in of_key if row["updated_at"] == newest]
        if len(latest) == 1:
            kept += latest
        else:
            bad += len(of_key)
    return kept, bad


def is_believable(entity: str, dt: date, row: Row) -> bool:
    """Whether a row may be loaded: units above zero, nothing from after the partition's day."""
    if entity == "order_lines":
        return bool(row["quantity"] > 0)
    return bool(row[HAPPENED[entity]] < midnight(dt) + timedelta(days=1))
