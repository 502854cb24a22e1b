"""A small random store with every trouble that the contract allows, delivered night by night.

Its history partition ends on HISTORY; afterwards each day has a partition. Orders are cancelled, taken up again, moved
to other days and given to other customers; lines are corrected, delivered twice, before their order or their product;
partitions come late, or once more with other content. Shelves are empty on some days, and are counted anew.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
Partition = dict[str, dict[Any, Row]]  # entity -> key -> row
HISTORY = date(2024, 1, 31)
LAST = date(2024, 3, 10)
NIGHTS = (date(2024, 2, 3), date(2024, 2, 4), date(2024, 2, 19), date(2024, 2, 27), date(2024, 3, 11))
DAY = timedelta(days=1)


def midnight(day: date) -> datetime:
    """00:00 of a day."""
    return datetime.combine(day, time())


ALWAYS = midnight(date(1970, 1, 1))


@dataclass
class Store:
    """The store's own present state, and the versions that the nights load from its partitions."""

    seed: int
    products: dict[str, Row] = field(default_factory=dict)
    orders: dict[str, Row] = field(default_factory=dict)
    lines: dict[tuple[str, int], Row] = field(default_factory=dict)
    versions: dict[str, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random, self.places = random.Random(self.seed), random.Random(f"places {self.seed}")
        self.versions = {entity: [] for entity in ("customers", "products", "orders", "order_lines", "stock_levels")}
        self.postponed: list[tuple[date, str, Any, Row]] = []
        self._load_history()
        days = [HISTORY + DAY * i for i in range(1, (LAST - HISTORY).days + 1)]
        self._deliver({day: self._live(day) for day in days})
        self._count_shelves()

    def loaded_by(self, as_of: date) -> dict[str, list[Row]]:
        """The versions that one night loads."""
        return {entity: [v for v in rows if v["loaded_as_of"] == as_of] for entity, rows in self.versions.items()}

    def _load_history(self) -> None:
        for number in range(24):
            self._product(f"P{number:02}", HISTORY - DAY * self.random.randrange(30, 500))
        for _ in range(260):
            self._order(HISTORY - DAY * int(self.random.random() ** 2 * 480))
        customers = [{"customer_id": f"C{i}", "country": "GB", "updated_at": midnight(HISTORY)} for i in range(9)]
        for customer in customers:
            self._version("customers", customer, HISTORY, ALWAYS, NIGHTS[0])
        for product in self.products.values():
            self._version("products", product, HISTORY, ALWAYS, NIGHTS[0])
        for order in self.orders.values():
            self._version("orders", order, HISTORY, _day_after(order), NIGHTS[0])
        for (order_id, _), line in self.lines.items():
            self._version("order_lines", line, HISTORY, _day_after(self.orders[order_id]), NIGHTS[0])

    def _count_shelves(self) -> None:
        """Closing stock of a third of the products: gone for days on end, late now and then, some counted once more."""
        self.random = random.Random(f"shelves {self.seed}")
        pick, days_left = self.random, dict.fromkeys(sorted(self.products)[::3], 0)
        for day in (HISTORY - DAY * i for i in range(90, -(LAST - HISTORY).days - 1, -1)):
            for product_id, left in days_left.items():
                days_left[product_id] = left - 1 if left else pick.choice([0] * 9 + [5])
                row = {"product_id": product_id, "as_of_date": day, "on_hand": 0 if left else pick.randrange(1, 9)}
                self._deliver_level(row | {"on_order": 0}, day)

    def _deliver_level(self, row: Row, day: date) -> None:
        pick = self.random
        if day <= HISTORY:
            self._version("stock_levels", row, HISTORY, midnight(day + DAY), NIGHTS[0])
        else:
            nights = [night for night in NIGHTS if night > day]
            self._load("stock_levels", [row], day, nights[0] if pick.random() < 0.9 else pick.choice(nights))
        dt = max(day, HISTORY) + DAY * pick.randrange(1, 9)
        if pick.random() < 0.2 and dt <= LAST:
            again = row | {"on_hand": pick.randrange(2)}
            self._load("stock_levels", [again], dt, next(night for night in NIGHTS if night > dt))

    def _live(self, day: date) -> Partition:
        """One day of the store: what it created or changed."""
        pick, changed = self.random, Partition(products={}, orders={}, order_lines={})
        if pick.random() < 0.3:  # a new product, known only some days after it is first sold
            changed_product = self._product(f"N{day:%m%d}", day)
            due = day + DAY * pick.randrange(0, 9)
            self.postponed.append((due, "products", changed_product["product_id"], changed_product))
        for _ in range(pick.randrange(5)):
            order, lines = self._order(day)
            self._put(changed, day, "orders", order["order_id"], order)
            for key, line in lines.items():
                self._put(changed, day, "order_lines", key, line)
        for _ in range(pick.randrange(4)):
            self._change_order(changed, pick.choice(list(self.orders)), day)
        for _ in range(pick.randrange(4)):
            self._change_line(changed, pick.choice(list(self.lines)))
        if pick.random() < 0.5:
            product = self.products[pick.choice(list(self.products))]
            if not any(item[2] == product["product_id"] for item in self.postponed):
                product["is_active"] = pick.random() < 0.7
                product["unit_price"] += Decimal("0.5")
                changed["products"][product["product_id"]] = dict(product)
        for due, entity, key, row in [item for item in self.postponed if item[0] <= day]:
            changed[entity].setdefault(key, dict(row))
            self.postponed.remove((due, entity, key, row))
        return changed

    def _put(self, changed: Partition, day: date, entity: str, key: Any, row: Row) -> None:
        """Deliver a row today or, now and then, some days later: a line before its order, or after it."""
        if self.random.random() < 0.15:
            self.postponed.append((day + DAY * self.random.randrange(1, 8), entity, key, dict(row)))
        else:
            changed[entity][key] = dict(row)

    def _product(self, product_id: str, day: date) -> Row:
        row = {
            "product_id": product_id,
            "title": f"Product {product_id}",
            "category": self.random.choice(["Home > Lights", "Home", None]),
            "brand": self.random.choice(["A", None]),
            "unit_price": Decimal(self.random.randrange(1, 60)) / 4,
            "is_active": self.random.random() < 0.85,
            "updated_at": midnight(day),
        }
        self.products[product_id] = row
        return row

    def _order(self, day: date) -> tuple[Row, dict[tuple[str, int], Row]]:
        pick = self.random
        order = {
            "order_id": f"O{len(self.orders)}",
            "customer_id": pick.choice([None, None, *[f"C{i}" for i in range(10)]]),  # C9 never gets an account
            "ordered_at": midnight(day) + timedelta(seconds=pick.randrange(86_400)),
            "status": pick.choices(["placed", "cancelled"], [12, 1])[0],
            "currency": "EUR",
        } | self._place()
        self.orders[order["order_id"]] = order
        lines = {(order["order_id"], i): self._line(order["order_id"], i) for i in range(1, pick.randrange(2, 5))}
        self.lines.update(lines)
        return order, lines

    def _place(self) -> Row:
        """Where an order goes and where it was placed, which some orders don't say."""
        pick = self.places
        return {"ship_country": pick.choice(["GB", "FR", None]), "channel": pick.choice(["web", "web", "app", None])}

    def _line(self, order_id: str, number: int) -> Row:
        pick = self.random
        return {
            "order_id": order_id,
            "line_number": number,
            "product_id": pick.choice([*self.products, *list(self.products)[:6]]),
            "quantity": pick.randrange(1, 6),
            "unit_price": Decimal(pick.randrange(0, 400)) / 16,
            "discount": pick.choice([None, Decimal("0.25"), Decimal(0)]),
        }

    def _change_order(self, changed: Partition, order_id: str, day: date) -> None:
        order, pick = self.orders[order_id], self.random
        change = pick.randrange(5)
        if change < 2:
            order["status"] = "cancelled" if order["status"] != "cancelled" else "paid"
        elif change == 2:
            order["ordered_at"] = min(order["ordered_at"] + DAY * pick.randrange(-9, 9), midnight(day))
        elif change == 3:
            order["customer_id"] = pick.choice([None, "C1", "C2"])
        elif self.places.random() < 0.5:
            order |= self._place()
        changed["orders"][order_id] = dict(order)  # half of the last fifth: delivered again, unchanged

    def _change_line(self, changed: Partition, key: tuple[str, int]) -> None:
        if self.random.random() < 0.7:
            self.lines[key] = self._line(*key)
        changed["order_lines"][key] = dict(self.lines[key])

    def _deliver(self, days: dict[date, Partition]) -> None:
        """Load each partition by the first night after it, some by a later one, some once more with other content."""
        pick = self.random
        for dt, partition in days.items():
            for entity, rows in partition.items():
                nights = [night for night in NIGHTS if night > dt]
                night = nights[0] if pick.random() < 0.8 else pick.choice(nights)
                self._load(entity, list(rows.values()), dt, night)
                again = [later for later in nights if later > night]
                if again and pick.random() < 0.2:
                    self._load(entity, [self._other(row) for row in rows.values()], dt, pick.choice(again))

    def _load(self, entity: str, rows: list[Row], dt: date, night: date) -> None:
        newest_before = max((other for other in NIGHTS if other < night), default=date.min)
        known_at = midnight(night) if dt < newest_before else midnight(dt + DAY)
        for row in rows:
            self._version(entity, row, dt, known_at, night)

    def _other(self, row: Row) -> Row:
        if "quantity" in row and self.random.random() < 0.5:
            return row | {"quantity": self.random.randrange(1, 9)}
        if "status" in row and self.random.random() < 0.3:
            return row | {"status": "cancelled"}
        return row

    def _version(self, entity: str, row: Row, dt: date, known_at: datetime, night: date) -> None:
        self.versions[entity].append(row | {"dt": dt, "known_at": known_at, "loaded_as_of": night})


def _day_after(order: Row) -> datetime:
    day: date = order["ordered_at"].date()
    return midnight(day + DAY)
