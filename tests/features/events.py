"""A small random store of payments and tickets, with every trouble that the contract allows, night by night.

Few devices, cards and addresses are shared by many; times lie on a coarse grid, so that payments are made at the same
moment and windows end on a payment. Partitions come late or once more with other content; the history of chargebacks
and returns comes only with later nights, though it was known long before.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.features.store import ALWAYS, DAY, Row, midnight

HISTORY = date(2024, 1, 31)
LAST = date(2024, 2, 24)
NIGHTS = (date(2024, 2, 3), date(2024, 2, 4), date(2024, 2, 15), date(2024, 2, 25))
LATE_HISTORY = {"returns": NIGHTS[1], "chargebacks": NIGHTS[2]}  # the first night with any
KEYS: dict[str, tuple[str, ...]] = {
    "customers": ("customer_id",),
    "products": ("product_id",),
    "orders": ("order_id",),
    "order_lines": ("order_id", "line_number"),
    "payments": ("payment_id",),
    "chargebacks": ("payment_id",),
    "returns": ("return_id",),
    "tickets": ("ticket_id",),
    "ticket_messages": ("ticket_id", "message_number"),
    "ticket_resolutions": ("ticket_id",),
}
COUNTRIES = ("GB", "FR", None)
GRID = timedelta(hours=6)


@dataclass
class EventStore:
    """The versions that the nights load, by entity."""

    seed: int
    versions: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in KEYS})
    payments: list[Row] = field(default_factory=list)
    tickets: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random, self.about, self.charged = (random.Random(self.seed + n) for n in range(3))
        self._load_history()
        for ahead in range(1, (LAST - HISTORY).days + 1):
            self._deliver(HISTORY + ahead * DAY)

    def loaded_by(self, as_of: date) -> dict[str, list[Row]]:
        """The versions that one night loads."""
        return {name: [v for v in rows if v["loaded_as_of"] == as_of] for name, rows in self.versions.items()}

    def _load_history(self) -> None:
        pick = self.random
        for number in range(5):
            self._version("products", self._product(number), HISTORY, ALWAYS, NIGHTS[0])
        for number in range(8):
            self._version("customers", self._customer(number, HISTORY), HISTORY, ALWAYS, NIGHTS[0])
        made: dict[tuple[Any, ...], Row] = {}  # one row a key, as in any partition
        days = [HISTORY - DAY * int(pick.random() ** 2 * 450) for _ in range(260)]
        days += [HISTORY - DAY * number for number in range(12)]
        for number, day in enumerate(days):
            for entity, row in [*self._pay(day), *self._look_back(day)] if number < 260 else self._ask(day):
                made.setdefault((entity, *(row[name] for name in KEYS[entity])), row | {"day": day})
        for (entity, *_), row in made.items():
            night = LATE_HISTORY.get(entity, NIGHTS[0])
            self._version(entity, row, HISTORY, midnight(row["day"] + DAY), night)

    def _deliver(self, dt: date) -> None:
        """Load a day's partitions by the first night after it, some by a later one, some once more, changed."""
        pick = self.random
        rows = [made for _ in range(pick.randrange(2, 6)) for made in self._pay(dt - DAY * pick.choice([0, 0, 0, 2]))]
        rows += [made for _ in range(4) for made in self._look_back(dt)]
        rows += [made for _ in range(pick.randrange(3)) for made in self._ask(dt)]
        rows += [made for _ in range(5) for made in self._go_on(dt)]
        rows += [("customers", self._customer(pick.randrange(9), dt)), ("products", self._product(pick.randrange(8)))]
        for entity in KEYS:
            own = {tuple(row[k] for k in KEYS[entity]): row for name, row in rows if name == entity}
            nights = [night for night in NIGHTS if night > max(dt, LATE_HISTORY.get(entity, NIGHTS[0]) - DAY)]
            night = nights[0] if pick.random() < 0.6 else pick.choice(nights)
            self._load(entity, list(own.values()), dt, night)
            if (later := [other for other in nights if other > night]) and pick.random() < 0.3:
                self._load(entity, [self._other(entity, row) for row in own.values()], dt, pick.choice(later))

    def _load(self, entity: str, rows: list[Row], dt: date, night: date) -> None:
        newest_before = max((other for other in NIGHTS if other < night), default=date.min)
        known_at = midnight(night) if dt < newest_before else midnight(dt + DAY)
        for row in rows:
            self._version(entity, row, dt, known_at, night)

    def _version(self, entity: str, row: Row, dt: date, known_at: datetime, night: date) -> None:
        self.versions[entity].append(row | {"dt": dt, "known_at": known_at, "loaded_as_of": night})

    def _other(self, entity: str, row: Row) -> Row:
        changes: dict[str, Row] = {
            "payments": {"amount": Decimal(self.random.randrange(1, 99)), "device_id": "D0"},
            "orders": {"ship_country": self.random.choice(COUNTRIES), "customer_id": "C1"},
            "order_lines": {"quantity": self.random.randrange(1, 9)},
            "returns": {"customer_id": self.random.choice(["C1", None])},
            "ticket_messages": {"body": "another body", "author": self.random.choice(["agent", "customer"])},
            "tickets": {"subject": "another subject"},
            "ticket_resolutions": {"intent": "refund"},
        }
        return row | changes.get(entity, {})

    def _moment(self, day: date) -> datetime:
        return midnight(day) + GRID * self.random.randrange(4)

    def _customer(self, number: int, day: date) -> Row:
        signed_up_at = self.random.choice([None, self._moment(day - DAY * self.random.randrange(400))])
        return {"customer_id": f"C{number}", "signed_up_at": signed_up_at, "updated_at": midnight(day)}

    def _product(self, number: int) -> Row:
        row = {
            "product_id": f"P{number}",
            "title": f"product {number}" + " large" * (number % 3),
            "unit_price": Decimal(1),
            "is_active": True,
        }
        return row | {"updated_at": midnight(HISTORY)}

    def _pay(self, day: date) -> list[tuple[str, Row]]:
        """An order, its lines and its payment; now and then the payment has no order, or pays one of before."""
        pick, paid_at = self.random, self._moment(day)
        name, who = f"{len(self.payments)}", pick.choice([None, None, *[f"C{number}" for number in range(9)]])
        address = pick.choice([None, *range(5)])
        order_id = f"O{name}" if pick.random() < 0.9 else f"O{pick.randrange(300)}"
        payment = {
            "payment_id": f"Y{name}",
            "order_id": order_id,
            "customer_id": who if pick.random() < 0.7 else None,
            "paid_at": paid_at,
            "amount": Decimal(pick.randrange(0, 800)) / 8,
            "card_token": pick.choice([None, *[f"K{number}" for number in range(6)]]),
            "device_id": pick.choice([None, *[f"D{number}" for number in range(5)]]),
            "ip_address": None if address is None else f"I{address}",
            "ip_prefix": None if address is None else f"N{address // 2}",
            "ip_country": pick.choice(COUNTRIES),
            "billing_country": pick.choice(COUNTRIES),
        }
        ordered_at = paid_at + GRID * pick.choice([-3, -1, 0, 0, 1])
        order = {"order_id": f"O{name}", "customer_id": who, "ordered_at": ordered_at, "status": "paid"}
        order |= {"ship_country": pick.choice(COUNTRIES), "currency": "EUR"}
        lines = [
            {"order_id": f"O{name}", "line_number": number, "product_id": f"P{pick.randrange(8)}"}
            | {"quantity": pick.randrange(1, 5), "unit_price": Decimal(pick.randrange(80)) / 16}
            for number in range(pick.randrange(1, 4))
        ]
        self.payments.append(payment)
        return [("orders", order), ("payments", payment), *[("order_lines", line) for line in lines]]

    def _look_back(self, day: date) -> list[tuple[str, Row]]:
        """A return, a chargeback, or a payment delivered once more with another amount."""
        pick = self.random
        payment = pick.choice(self.payments)
        when = self._moment(day)
        made: list[tuple[str, Row]] = []
        if pick.random() < 0.4:
            row = {"return_id": f"R{pick.randrange(99)}", "product_id": "P1", "quantity": pick.randrange(1, 3)}
            row["order_id"] = payment["order_id"]
            made.append(("returns", row | {"customer_id": payment["customer_id"], "returned_at": when}))
        late = self.charged.choice(self.payments[-12:])
        charged = self.charged.choice([payment, late, late, late])
        if pick.random() < 0.3 and charged["paid_at"] < when:
            made.append(("chargebacks", {"payment_id": charged["payment_id"], "reported_at": when}))
        if pick.random() < 0.2 and day > HISTORY:
            made.append(("payments", payment | {"amount": payment["amount"] + 1, "card_token": "K0"}))
        return made

    def _ask(self, day: date) -> list[tuple[str, Row]]:
        """A ticket with its first message; some are opened a moment after the night that could know them."""
        pick = self.random
        ticket = {"ticket_id": f"T{len(self.tickets)}", "customer_id": pick.choice([None, "C1"]), "channel": "chat"}
        ticket |= {"opened_at": self._moment(day) + DAY * (pick.random() < 0.1), "messages": 0}
        ticket["subject"] = pick.choice([None, "", "help", "where is it"])
        about = self.about.choice([None, *[payment["order_id"] for payment in self.payments[-40:]]])
        ticket["order_id"] = about if ticket["customer_id"] else None
        if self.about.random() < 0.6:  # of one's own order
            own = self.about.choice([row for row in self.versions["orders"] if row["customer_id"]] or [{}])
            ticket |= {name: own.get(name) for name in ("customer_id", "order_id")}
        self.tickets.append(ticket)
        return [("tickets", ticket), *(self._say(ticket, day) if pick.random() < 0.8 else [])]

    def _say(self, ticket: Row, day: date) -> list[tuple[str, Row]]:
        ticket["messages"] += 1
        row = {"ticket_id": ticket["ticket_id"], "message_number": ticket["messages"], "sent_at": self._moment(day)}
        author = self.random.choice(["customer", "customer", "agent"])
        own = [paid["order_id"] for paid in self.payments if paid["customer_id"] == "C1"]
        named = self.random.choice([*own, f"O{self.random.randrange(len(self.payments))}"]).lower()
        about = f" product {self.random.randrange(8)} large"
        order = f", order {named}: help with{about}" * (self.random.random() < 0.5)
        return [("ticket_messages", row | {"author": author, "body": f"{author} {self.random.randrange(999)}{order}"})]

    def _go_on(self, day: date) -> list[tuple[str, Row]]:
        """Another message of a ticket, its resolution, or the ticket with another subject."""
        ticket, what = self.random.choice(self.tickets), self.random.random()
        if what < 0.6:
            return self._say(ticket, day)
        if what < 0.75:
            resolved_at = self._moment(day - DAY * self.random.choice([0, 400]))
            row = {"ticket_id": ticket["ticket_id"], "resolved_at": resolved_at, "urgency": "low"}
            return [("ticket_resolutions", row | {"intent": self.random.choice(["size", "delivery"])})]
        return [("tickets", ticket | {"subject": f"subject of {day}"})]


def from_the_future(store: EventStore) -> dict[str, list[Row]]:
    """Rows that nothing may use: known only after the last night, or loaded after it though known long before."""
    later = NIGHTS[-1] + DAY
    meta = {"dt": LAST, "known_at": midnight(later), "loaded_as_of": later}
    past = meta | {"dt": HISTORY, "known_at": midnight(HISTORY - 9 * DAY)}
    planted: dict[str, list[Any]] = {name: [] for name in KEYS}
    for number, payment in enumerate(store.payments):
        moved = payment["paid_at"] - timedelta(minutes=1)
        twin = payment | {"payment_id": f"Z{number}", "amount": Decimal(9_999), "paid_at": moved}
        twin["customer_id"] = twin["customer_id"] or "C0"
        when = past if number % 2 else meta
        planted["payments"].append(twin | when)
        planted["chargebacks"].append({"payment_id": payment["payment_id"], "reported_at": moved} | meta)
        planted["chargebacks"].append({"payment_id": twin["payment_id"], "reported_at": moved} | when)
        back = {"return_id": f"Z{number}", "product_id": "P1", "quantity": 99, "returned_at": moved}
        planted["returns"].append(back | {"customer_id": twin["customer_id"]} | when)
        line = {"order_id": payment["order_id"], "line_number": 0, "product_id": "P1", "quantity": 999}
        planted["order_lines"].append(line | {"unit_price": Decimal(999)} | meta)
    for order in {row["order_id"]: row for row in store.versions["orders"]}.values():
        planted["orders"].append(order | {"customer_id": "C1"} | meta)
    for ticket in store.tickets:
        message = {"ticket_id": ticket["ticket_id"], "message_number": 0, "author": "customer", "body": "FUTURE"}
        planted["ticket_messages"].append(message | {"sent_at": ticket["opened_at"]} | meta)
        planted["tickets"].append(ticket | {"subject": "FUTURE"} | meta)
    return planted
