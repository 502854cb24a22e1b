"""A small shop with every trouble that a landing zone allows, as the files that it delivers before each night.

A history partition of a hundred days, then a partition a day. Orders are cancelled, taken up again, moved to other days
and given to other customers; lines are corrected, and some come a day before their order or days before their product;
rows come twice, in conflict, or broken. Whole days come late, early, once more, or once more with other content.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from tests.landing import DAY, Landing, Row, at, customer, line, order, product

HISTORY, DAYS_OF_HISTORY, DAYS = date(2024, 3, 29), 100, 10
NIGHTS = [HISTORY + DAY * ahead for ahead in (2, 3, 4, 7, 8, 10, 11)]  # two outages among them
LATE = {  # what comes after the night that it was due for
    ("orders", HISTORY + 2 * DAY): NIGHTS[2],
    ("order_lines", HISTORY + 2 * DAY): NIGHTS[2],
    **{(entity, HISTORY + 4 * DAY): NIGHTS[5] for entity in ("customers", "products", "orders", "order_lines")},
}
EARLY = {HISTORY + 8 * DAY: NIGHTS[4]}  # a day that the night must not see yet
KEYS = {
    "customers": ("customer_id",),
    "products": ("product_id",),
    "orders": ("order_id",),
    "order_lines": ("order_id", "line_number"),
}
FORMS = ("parquet", "csv", "csv.gz")


class Delivery(NamedTuple):
    """One partition as it is put into the landing zone before a night."""

    night: date
    entity: str
    dt: date
    rows: list[Row]
    is_complete: bool = True


class Shop:
    """The shop's own present state, and the partitions that it extracts of it day by day."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.state: dict[str, dict[Any, Row]] = {entity: {} for entity in KEYS}
        self.extracts: dict[tuple[str, date], dict[Any, Row]] = {}
        self.extra: dict[tuple[str, date], list[Row]] = {}  # repeats, conflicts and broken rows
        first = HISTORY - DAYS_OF_HISTORY * DAY
        for number in range(20):
            self._put("customers", HISTORY, customer(f"c{number}", first))
        for number in range(15):
            self._put("products", HISTORY, self._product(f"p{number}", first))
        for _ in range(260):
            self._order(first + self.random.randrange(DAYS_OF_HISTORY + 1) * DAY, HISTORY)
        self._trouble(HISTORY, 6)
        for ahead in range(1, DAYS + 1):
            self._live(HISTORY + ahead * DAY)
            self._trouble(HISTORY + ahead * DAY, 1)

    def deliveries(self) -> Iterator[Delivery]:
        """What is put into the landing zone before each night, in order."""
        for (entity, dt), extract in sorted(self.extracts.items(), key=lambda item: (item[0][1], item[0][0])):
            rows = [*extract.values(), *self.extra.get((entity, dt), [])]
            due = next((night for night in NIGHTS if night > dt), None)
            if (entity, dt) in LATE and due:
                yield Delivery(due, entity, dt, rows[: len(rows) // 2], is_complete=False)
            if night := LATE.get((entity, dt)) or EARLY.get(dt) or due:
                yield Delivery(night, entity, dt, rows)
        for dt, entities, night, is_other in self._repeated():
            for entity in entities:
                if (entity, dt) in self.extracts:
                    rows = [*self.extracts[entity, dt].values(), *self.extra.get((entity, dt), [])]
                    yield Delivery(night, entity, dt, self._other(entity, dt, rows) if is_other else rows)

    def _repeated(self) -> list[tuple[date, tuple[str, ...], date, bool]]:
        sales = ("orders", "order_lines")
        return [
            (HISTORY + DAY, tuple(KEYS), NIGHTS[2], False),
            (HISTORY, tuple(KEYS), NIGHTS[3], False),
            (HISTORY + 3 * DAY, tuple(KEYS), NIGHTS[4], True),
            (HISTORY, sales, NIGHTS[5], True),
            (HISTORY + 3 * DAY, sales, NIGHTS[6], True),
        ]

    def _put(self, entity: str, dt: date, row: Row) -> None:
        """Change the state, and have the row in the extract of a day."""
        key = _key(entity, row)
        self.state[entity][key] = row
        if dt <= HISTORY + DAYS * DAY:
            self.extracts.setdefault((entity, dt), {})[key] = row

    def _live(self, day: date) -> None:
        """One day: what is new, what changes, and what changed yesterday and changes once more."""
        pick, before = self.random, day - DAY
        if (day - HISTORY).days % 3 == 1:
            self._put("products", day + pick.randrange(1, 5) * DAY, self._product(f"n{day:%d}", day))
        if pick.random() < 0.5:
            self._put("customers", day, customer(f"d{day:%d}", day))
        for _ in range(pick.randrange(5, 8)):
            self._order(day, day)
        orders = pick.sample(list(self.state["orders"]), 4) + pick.sample(list(self.extracts["orders", before]), 1)
        for key in orders:
            self._put("orders", day, self._changed_order(self.state["orders"][key], day))
        lines = pick.sample(list(self.state["order_lines"]), 4)
        for key in lines + pick.sample(list(self.extracts["order_lines", before]), 2):
            self._put("order_lines", day, self._line(*key))
        products = list(self.extracts.get(("products", before), []))[:1]
        for key in pick.sample(list(self.state["products"]), 1) + products:
            self._put("products", day, self._product(key[0], day))

    def _product(self, product_id: str, day: date) -> Row:
        pick = self.random
        price, kind = Decimal(pick.randrange(100, 4000)) / 100, int(product_id[1:]) % 3
        category = ("Home > Lamps", "Garden", None)[kind]
        return product(product_id, day, unit_price=price, is_active=pick.random() < 0.8, category=category)

    def _order(self, day: date, dt: date) -> None:
        """A new order with its lines; now and then the order comes a day after its lines."""
        pick, number = self.random, len(self.state["orders"])
        order_id = f"o{number}"
        placed = at(day, 0) + timedelta(seconds=pick.randrange(86_400))
        buyer = pick.choice([None, None, "c99", *[key[0] for key in self.state["customers"]]])  # c99 has no account
        status = pick.choices(["paid", "cancelled"], [12, 1])[0]
        due = dt + (DAY if day > HISTORY and pick.random() < 0.2 else 0 * DAY)
        place = {
            "ship_country": ("France", "Spain", None)[number % 3],
            "channel": ("web", "phone", None)[number % 5 % 3],
        }
        self._put("orders", due, order(order_id, day, ordered_at=placed, customer_id=buyer, status=status, **place))
        for number in range(1, pick.randrange(2, 5)):
            self._put("order_lines", dt, self._line(order_id, number))

    def _line(self, order_id: str, number: int) -> Row:
        pick = self.random
        price = Decimal(pick.randrange(0, 40_000)) / 10_000
        values = {"product_id": pick.choice(list(self.state["products"]))[0], "quantity": pick.randrange(1, 7)}
        discount = pick.choice([None, Decimal("0.25"), Decimal("0.0100")])
        return line(order_id, number, **values, unit_price=price, discount=discount)

    def _changed_order(self, row: Row, day: date) -> Row:
        """Cancelled or taken up again, moved to another day and country, given to another customer, or as it was."""
        kind = self.random.randrange(5)
        if kind < 2:
            return row | {"status": "paid" if row["status"] == "cancelled" else "cancelled"}
        if kind == 2:
            moved = row["ordered_at"] + self.random.randrange(-40, 10) * DAY
            return row | {"ordered_at": min(moved, at(day, 23)), "ship_country": "Italy"}
        return row | ({"customer_id": self.random.choice([None, "c1", "c2"])} if kind == 3 else {})

    def _trouble(self, day: date, count: int) -> None:
        """Rows that come twice, that contradict each other, or that nobody can believe."""
        pick = self.random
        extra: dict[str, list[Row]] = {entity: [] for entity in KEYS}
        lines, orders = self.extracts["order_lines", day], self.extracts["orders", day]
        for key in pick.sample(list(lines), count + 2):
            extra["order_lines"].append(dict(lines[key]))
        for _ in range(count):
            key = pick.choice(list(self.state["order_lines"]))
            broken = lines.pop(key, None) or self._line(*key)
            extra["order_lines"].append(broken | {"quantity": -1})
        future = order(f"f{day:%m%d}", day, ordered_at=at(day + 3 * DAY))
        torn = pick.choice(list(orders))
        extra["orders"] += [future, dict(orders[torn]), orders[torn] | {"channel": "app"}]
        if products := self.extracts.get(("products", day)):
            newest = next(iter(products.values()))
            extra["products"].append(newest | {"updated_at": at(day - DAY, 3), "is_active": not newest["is_active"]})
        for entity, rows in extra.items():
            if rows:
                self.extra[entity, day] = rows

    def _other(self, entity: str, dt: date, rows: list[Row]) -> list[Row]:
        """The same day with other content: a row less, a key more, some values changed."""
        pick, kept = self.random, list(rows)
        once = [key for key in self.extracts[entity, dt] if [_key(entity, row) for row in rows].count(key) == 1]
        for number, key in enumerate(pick.sample(once, min(5, len(once)))):
            place = next(place for place, row in enumerate(kept) if _key(entity, row) == key)
            row = kept.pop(place)
            if number and entity == "orders":
                kept.append(self._changed_order(row, dt))
            elif number and entity == "order_lines":
                kept.append(self._line(*key))
            elif number:
                kept.append(row)
        if entity == "order_lines":
            kept.append(self._line(kept[0]["order_id"], 7 + pick.randrange(99)))
        return kept


def _key(entity: str, row: Row) -> tuple[Any, ...]:
    return tuple(row[column] for column in KEYS[entity])


def write(delivery: Delivery, landing: Landing, pick: random.Random) -> None:
    """Write a partition in one of the forms, its rows in any order and in one or two files."""
    rows = pick.sample(delivery.rows, len(delivery.rows))
    halves = [rows] if len(rows) < 2 or pick.random() < 0.5 else [rows[::2], rows[1::2]]
    form, folder = pick.choice(FORMS) if rows else "parquet", landing.folder(delivery.entity, delivery.dt)
    for number, half in enumerate(halves):
        name = f"part-{number}"
        if form == "parquet":
            landing.add(delivery.entity, delivery.dt, half, name=name, success=False)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            text = csv_of(half, pick).encode()
            (folder / f"{name}.{form}").write_bytes(gzip.compress(text) if form.endswith("gz") else text)
    if delivery.is_complete:
        (folder / "_SUCCESS").touch()


def csv_of(rows: list[Row], pick: random.Random) -> str:
    """Rows as CSV; some times are told by the clock of another zone."""
    stream = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(stream, names)
    writer.writeheader()
    writer.writerows({name: _text(value, pick) for name, value in row.items()} for row in rows)
    return stream.getvalue()


def _text(value: Any, pick: random.Random) -> str:
    if isinstance(value, datetime) and pick.random() < 0.3:
        zone = timezone(timedelta(hours=pick.randrange(-9, 10)))
        return value.replace(tzinfo=timezone.utc).astimezone(zone).isoformat(sep=" ")  # noqa: UP017 - beside timezone
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def deliver(shop: Shop, folder: Path, seed: int) -> dict[date, Path]:
    """Write what is put into the landing zone before each night, a folder a night."""
    pick, folders = random.Random(seed), {night: folder / f"before-{night}" for night in NIGHTS}
    for delivery in shop.deliveries():
        write(delivery, Landing(folders[delivery.night]), pick)
    return folders
