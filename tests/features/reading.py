"""What the features must be, read off the versions with plain loops: the same sentences as the contract, other code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from tests.features.store import DAY, Row, Store, midnight


class Line(NamedTuple):
    """An order line that counts."""

    order_id: str
    product_id: str
    customer_id: str | None
    day: date
    units: int
    revenue: Decimal


class Reading:
    """The store as known at 00:00 of a day."""

    def __init__(self, store: Store, as_of: date) -> None:
        self.as_of = as_of
        self.now = midnight(as_of)
        self.products = self._valid(store.versions["products"], "product_id")
        self.orders = self._valid(store.versions["orders"], "order_id")
        self.customers = self._valid(store.versions["customers"], "customer_id")
        self.delivered_lines = self._valid(store.versions["order_lines"], "order_id", "line_number")
        self.first_known: dict[str, datetime] = {}
        for version in store.versions["products"]:
            first = self.first_known.get(version["product_id"], version["known_at"])
            self.first_known[version["product_id"]] = min(first, version["known_at"])
        self.lines = [line for row in self.delivered_lines.values() if (line := self._counted(row))]
        self.levels = self._valid(store.versions.get("stock_levels", []), "product_id", "as_of_date")
        self.out_of_stock = self._out_of_stock()

    def _valid(self, versions: list[Row], *key: str) -> dict[Any, Row]:
        valid: dict[Any, Row] = {}
        for version in versions:
            name = tuple(version[column] for column in key)
            if version["known_at"] <= self.now and (
                name not in valid or (version["dt"], version["known_at"]) > (valid[name]["dt"], valid[name]["known_at"])
            ):
                valid[name] = version
        return valid

    def _counted(self, row: Row) -> Line | None:
        order = self.orders.get((row["order_id"],))
        if order is None or order["status"] == "cancelled" or (row["product_id"],) not in self.products:
            return None
        revenue = row["quantity"] * row["unit_price"] - (row["discount"] or 0)
        return Line(
            row["order_id"],
            row["product_id"],
            order["customer_id"],
            order["ordered_at"].date(),
            row["quantity"],
            revenue,
        )

    def waiting(self) -> int:
        """Lines that wait for their order or product."""
        return sum(
            (row["order_id"],) not in self.orders or (row["product_id"],) not in self.products
            for row in self.delivered_lines.values()
        )

    def units(self, product_id: str, start: date, end: date) -> int:
        """Units ordered on days in [start, end)."""
        return sum(line.units for line in self.lines if line.product_id == product_id and start <= line.day < end)

    def _out_of_stock(self) -> set[tuple[str, date]]:
        """Days that are over, opened with an empty shelf and sold nothing; none where a fifth of such days sold."""
        empty = {(product_id, day + DAY) for (product_id, day), row in self.levels.items() if row["on_hand"] <= 0}
        empty = {(product_id, day) for product_id, day in empty if day < self.as_of}
        sold = {key for key in empty if self.units(key[0], key[1], key[1] + DAY)}
        return set() if len(sold) > 0.2 * len(empty) else empty - sold

    def days_out(self, product_id: str, start: date, end: date) -> int:
        """Days out of stock in [start, end)."""
        return sum(name == product_id and start <= day < end for name, day in self.out_of_stock)

    def demand_products(self, period_days: int) -> dict[Any, Row]:
        """features_demand_products."""
        rows = {}
        for (product_id,), product in self.products.items():
            lines = [line for line in self.lines if line.product_id == product_id and line.day < self.as_of]
            days = sorted({line.day for line in lines})
            first_known = self.first_known[product_id].date()
            is_recent = bool(days) and days[-1] >= self.as_of - 365 * DAY
            if not product["is_active"] or not (is_recent or first_known >= self.as_of - 60 * DAY):
                continue
            windows = {n: self.as_of - n * period_days * DAY for n in (1, 4, 8, 13, 26, 52)}
            last_4 = [line for line in lines if line.day >= windows[4]]
            price = float(sum(line.revenue for line in last_4)) / sum(line.units for line in last_4) if last_4 else None
            active = {self._periods_ago(line.day, period_days) for line in lines}
            rows[self.as_of, product_id] = {
                "category": product["category"],
                "brand": product["brand"],
                "first_known_on": first_known,
                "first_sold_on": days[0] if days else None,
                "last_sold_on": days[-1] if days else None,
                "is_active": True,
                "unit_price": float(product["unit_price"]),
                "avg_price_4": price,
                **{f"units_{n}": self.units(product_id, start, self.as_of) for n, start in windows.items()},
                "active_periods_13": sum(ago <= 13 for ago in active),
                "active_periods_52": sum(ago <= 52 for ago in active),
            }
        return rows

    def _periods_ago(self, day: date, period_days: int) -> int:
        periods = 1
        while day < self.as_of - periods * period_days * DAY:
            periods += 1
        return periods

    def demand_periods(self, period_days: int) -> dict[Any, Row]:
        """features_demand_periods."""
        scope = self.demand_products(period_days)
        sums: dict[Any, Row] = defaultdict(lambda: {"units": 0, "revenue": Decimal(0), "days_out_of_stock": 0})
        for line in self.lines:
            if (row := self._period(sums, scope, line.product_id, line.day, period_days)) is not None:
                row["units"] += line.units
                row["revenue"] += line.revenue
        for product_id, day in self.out_of_stock:
            if (row := self._period(sums, scope, product_id, day, period_days)) is not None:
                row["days_out_of_stock"] += 1
        return {key: row | {"revenue": float(row["revenue"])} for key, row in sums.items()}

    def _period(self, sums: dict[Any, Row], scope: dict[Any, Row], product_id: str, day: date, days: int) -> Row | None:
        """The row of the period that a day lies in, of a product in scope."""
        if day >= self.as_of or (self.as_of, product_id) not in scope:
            return None
        periods_ago = self._periods_ago(day, days)
        return sums[self.as_of, product_id, periods_ago] if periods_ago <= (400 if days == 1 else 110) else None

    def popularity(self) -> dict[Any, Row]:
        """features_product_popularity."""
        buyers = defaultdict(set)
        for line in self.lines:
            days_ago = (self.as_of - line.day).days
            if 1 <= days_ago <= 365:
                buyer = ("customer", line.customer_id) if line.customer_id else ("guest order", line.order_id)
                buyers[self.as_of, line.product_id, days_ago].add(buyer)
        return {key: {"customers": len(value)} for key, value in buyers.items()}

    def customer_products(self) -> dict[Any, Row]:
        """features_customer_products."""
        bought = defaultdict(set)
        for line in self.lines:
            if line.customer_id and line.day < self.as_of:
                bought[self.as_of, line.customer_id, line.product_id].add((line.order_id, line.day))
        return {key: self._bought(sorted(day for _, day in orders)) for key, orders in bought.items()}

    def customer_orders(self) -> dict[Any, Row]:
        """features_customer_orders."""
        found: dict[Any, list[Any]] = defaultdict(list)
        for line in self.lines:
            if line.customer_id and self.as_of - 28 * DAY <= line.day < self.as_of:
                found[self.as_of, line.customer_id].append(line)
        return {
            key: {
                "orders": len({line.order_id for line in lines}),
                "units": sum(line.units for line in lines),
                "revenue": float(sum(line.revenue for line in lines)),
            }
            for key, lines in found.items()
        }

    def last_orders(self) -> dict[Any, Row]:
        """features_customers."""
        found: dict[Any, Row] = {}
        for order in sorted(self.orders.values(), key=lambda order: (order["ordered_at"], order["order_id"])):
            if order["customer_id"] and order["status"] != "cancelled" and order["ordered_at"] < self.now:
                row = {"country": order["ship_country"], "channel": order["channel"]}
                found[self.as_of, order["customer_id"]] = row
        return found

    def _bought(self, days: list[date]) -> Row:
        lately = {f"times_{window}": sum(day >= self.as_of - window * DAY for day in days) for window in (28, 91, 182)}
        return {"times": len(days), **lately, "first_bought_on": days[0], "last_bought_on": days[-1]}

    def valid_products(self) -> dict[Any, Row]:
        """features_products."""
        kept = ("title", "category", "is_active")
        return {
            (self.as_of, product_id): {name: row[name] for name in kept}
            | {"mean_price": self._mean_price(product_id), "first_known_on": self.first_known[product_id].date()}
            for (product_id,), row in self.products.items()
        }

    def _mean_price(self, product_id: str) -> float | None:
        lines = [line for line in self.lines if line.product_id == product_id and line.day < self.as_of]
        lines = [line for line in lines if line.day >= self.as_of - 365 * DAY]
        units = sum(line.units for line in lines)
        return float(sum((line.revenue for line in lines), Decimal(0))) / units if units > 0 else None

    def daily_sales(self) -> dict[Any, Row]:
        """fct_daily_sales."""
        sums: dict[Any, Counter[str]] = defaultdict(Counter)
        revenue: dict[Any, Decimal] = defaultdict(Decimal)
        for line in self.lines:
            if line.day < self.as_of:
                key = (line.product_id, line.day)
                sums[key].update(units=line.units, order_lines=1)
                revenue[key] += line.revenue
        return {key: {**counts, "revenue": float(revenue[key])} for key, counts in sums.items()}

    def customers_mart(self) -> dict[Any, Row]:
        """dim_customers."""
        rows = {}
        for (customer_id,), row in self.customers.items():
            days = [
                order["ordered_at"].date()
                for order in self.orders.values()
                if order["customer_id"] == customer_id
                and order["status"] != "cancelled"
                and order["ordered_at"].date() < self.as_of
            ]
            rows[(customer_id,)] = {
                "country": row["country"],
                "signed_up_at": None,
                "first_ordered_on": min(days, default=None),
                "last_ordered_on": max(days, default=None),
                "orders": len(days),
            }
        return rows


def demand_targets(then: Reading, later: Reading, period_days: int, horizon: int) -> dict[Any, Row]:
    """features_demand_targets of one cut-off, as known later."""
    return sold_after(then.demand_products(period_days), later, period_days, horizon)


def sold_after(products: Iterable[tuple[date, str]], later: Reading, period_days: int, horizon: int) -> dict[Any, Row]:
    """features_demand_targets of these cut-offs and products, as known later."""
    rows = {}
    for as_of, product_id in products:
        for step in range(1, horizon + 1):
            start = as_of + (step - 1) * period_days * DAY
            end = start + period_days * DAY
            units, days_out = later.units(product_id, start, end), later.days_out(product_id, start, end)
            if end <= later.as_of and (units or days_out):
                rows[later.as_of, as_of, product_id, step] = {"units": units, "days_out_of_stock": days_out}
    return rows


def recommendation_targets(as_of: date, later: Reading) -> dict[Any, Row]:
    """features_recommendation_targets of one cut-off, as known later."""
    end = as_of + timedelta(days=28)
    return {
        (later.as_of, as_of, line.customer_id, line.product_id): {}
        for line in later.lines
        if end <= later.as_of and line.customer_id and as_of <= line.day < end
    }
