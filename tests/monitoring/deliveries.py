"""Small stores, all in one warehouse, whose labels are delivered in order or in any other way.

Each store has orders, payments and tickets that every night knew in time, and labels that come as the draw has it: a
night late or weeks, twice, before or after what they replace. Orders come late themselves, for what was bought is the
label of a list and of a forecast; they are cancelled, and lines corrected. Chargebacks are reported once more, tickets
resolved once more with another intent.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.features.store import ALWAYS, DAY, Row, midnight

HISTORY = date(2024, 3, 1)
FIRST = date(2024, 3, 10)  # day that something happens on
AS_OF = date(2024, 4, 30)  # the night by which all is in
INTENTS = ("size", "delivery", "refund")
KEYS = {
    "orders": ("order_id",),
    "order_lines": ("order_id", "line_number"),
    "chargebacks": ("payment_id",),
    "ticket_resolutions": ("ticket_id",),
}
"""What labels are made of."""


@dataclass(frozen=True)
class Delivery:
    """A row of the partition of a day, and the night that loads it: the one after it, or any later one."""

    entity: str
    row: Row
    dt: date
    loaded: date

    @property
    def version(self) -> Row:
        """The row as it lies in raw."""
        known_at = ALWAYS if self.dt == HISTORY else midnight(self.loaded)
        return self.row | {"dt": self.dt, "known_at": known_at, "loaded_as_of": self.loaded}


class Shop:
    """One store: what happened in it, each row delivered in time."""

    def __init__(self, number: int) -> None:
        self.name, self.random = f"S{number}", random.Random(number)
        self.deliveries: list[Delivery] = []
        for key in range(3):
            product = {"product_id": f"{self.name}P{key}", "title": f"product {key}", "unit_price": Decimal(2)}
            self._deliver("products", product | {"is_active": True, "updated_at": midnight(HISTORY)}, HISTORY)
        for number in range(5):
            self._order(f"{self.name}O{number}")
            self._pay(f"{self.name}Y{number}")
            self._ask(f"{self.name}T{number}")

    def _day(self, first: date = FIRST, last: date = AS_OF - DAY) -> date:
        return first + DAY * self.random.randrange((last - first).days + 1)

    def _deliver(self, entity: str, row: Row, dt: date) -> None:
        self.deliveries.append(Delivery(entity, row, dt, dt + DAY))

    def _again(self, entity: str, row: Row, dt: date, chance: float) -> None:
        """The row once more on a later day, with other content."""
        if dt < AS_OF - DAY and self.random.random() < chance:
            self._deliver(entity, row, self._day(dt + DAY))

    def _order(self, order_id: str) -> None:
        pick, day = self.random, self._day()
        order = {"order_id": order_id, "customer_id": f"{self.name}C{pick.randrange(3)}", "status": "paid"}
        order |= {"ordered_at": midnight(day) + timedelta(hours=9), "currency": "EUR"}
        self._deliver("orders", order, day)
        self._again("orders", order | {"status": "cancelled"}, day, 0.3)
        for number in range(pick.randrange(1, 3)):
            line = {"order_id": order_id, "line_number": number, "product_id": f"{self.name}P{pick.randrange(3)}"}
            line |= {"quantity": pick.randrange(1, 5), "unit_price": Decimal(2)}
            self._deliver("order_lines", line, day)
            self._again("order_lines", line | {"quantity": line["quantity"] + 1}, day, 0.3)

    def _pay(self, payment_id: str) -> None:
        pick, day = self.random, self._day(last=AS_OF - 15 * DAY)
        payment = {"payment_id": payment_id, "order_id": f"{self.name}O0", "customer_id": f"{self.name}C0"}
        payment |= {"paid_at": midnight(day) + timedelta(hours=pick.randrange(24)), "amount": Decimal(50)}
        self._deliver("payments", payment, day)
        if pick.random() < 0.5:
            dt = self._day(day)
            chargeback = {"payment_id": payment_id, "reported_at": midnight(dt)}
            self._deliver("chargebacks", chargeback, dt)
            self._again("chargebacks", chargeback | {"reason": "again"}, dt, 0.5)

    def _ask(self, ticket_id: str) -> None:
        pick, day = self.random, self._day(last=AS_OF - 10 * DAY)
        ticket = {"ticket_id": ticket_id, "opened_at": midnight(day), "channel": pick.choice(["chat", "email"])}
        self._deliver("tickets", ticket, day)
        if pick.random() < 0.8:
            dt, found = self._day(day), {"intent": pick.choice(INTENTS), "urgency": pick.choice(["low", "high"])}
            row = {"ticket_id": ticket_id, "resolved_at": midnight(dt)}
            self._deliver("ticket_resolutions", row | found, dt)
            self._again("ticket_resolutions", row | found | {"intent": pick.choice(INTENTS)}, dt, 0.5)


def delivered_anyhow(deliveries: Sequence[Delivery], seed: int) -> list[Delivery]:
    """The same labels late, twice and out of order; what is no label comes as it did."""
    pick, found = random.Random(seed), []
    for one in deliveries:
        for _ in range(1 + (one.entity in KEYS and pick.random() < 0.3)):
            most = (AS_OF - one.loaded).days if one.entity in KEYS and pick.random() < 0.7 else 0
            found.append(replace(one, loaded=one.loaded + DAY * pick.randrange(most + 1)))
    pick.shuffle(found)
    return found


class Truth:
    """What is known of the labels on a night, read off the deliveries with plain loops."""

    def __init__(self, deliveries: Sequence[Delivery], night: date) -> None:
        self.night = night
        self.valid: dict[str, dict[Any, Row]] = {}
        for one in sorted(deliveries, key=lambda d: (d.dt, d.version["known_at"])):
            if one.version["known_at"] <= midnight(night):
                key = tuple(one.row[name] for name in KEYS.get(one.entity, (f"{one.entity[:-1]}_id",)))
                self.valid.setdefault(one.entity, {})[key] = one.version

    def _sold(self) -> list[tuple[str, str, date, int]]:
        """Customer, product, day and units of each line that counts."""
        orders, lines = self.valid.get("orders", {}), self.valid.get("order_lines", {})
        placed = [(orders.get((line["order_id"],)), line) for line in lines.values()]
        return [
            (order["customer_id"], line["product_id"], order["ordered_at"].date(), line["quantity"])
            for order, line in placed
            if order and order["status"] != "cancelled"
        ]

    def demand(self, nights: Sequence[date], horizon: int) -> dict[Any, Row]:
        """features_demand_targets by key."""
        found: dict[Any, Row] = {}
        for past in nights:
            for _, product, day, units in self._sold():
                step = (day - past).days // 7 + 1
                if 1 <= step <= horizon and past + 7 * step * DAY <= self.night:
                    row = found.setdefault((self.night, past, product, step), {"units": 0, "days_out_of_stock": 0})
                    row["units"] += units
        return found

    def recommendations(self, nights: Sequence[date]) -> dict[Any, Row]:
        """features_recommendation_targets by key."""
        return {
            (self.night, past, customer, product): {}
            for past in nights
            for customer, product, day, _ in self._sold()
            if past <= day < past + 28 * DAY
        }

    def risk(self, nights: Sequence[date], maturity: int) -> dict[Any, Row]:
        """features_payment_targets by key."""
        return {
            (self.night, *key): {
                "is_fraud": key in self.valid.get("chargebacks", {}),
                "is_mature": payment["paid_at"] + maturity * DAY <= midnight(self.night),
            }
            for key, payment in self.valid["payments"].items()
            if midnight(nights[0]) <= payment["known_at"] <= midnight(nights[-1])
        }

    def support(self, nights: Sequence[date]) -> dict[Any, Row]:
        """features_ticket_targets by key."""
        nothing = {"intent": None, "urgency": None}
        found = {}
        for key, ticket in self.valid["tickets"].items():
            if midnight(nights[0]) <= ticket["known_at"] <= midnight(nights[-1]):
                row = self.valid.get("ticket_resolutions", {}).get(key)
                told = {name: row[name] for name in nothing} if row else nothing
                found[self.night, *key] = told | {"is_known": row is not None}
        return found
