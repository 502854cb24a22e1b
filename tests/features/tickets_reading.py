"""What the features of tickets must be, read off the versions with plain loops."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from tests.features.events import EventStore
from tests.features.events_reading import valid, versions_by_key
from tests.features.store import DAY, Row, midnight


class Tickets:
    """Tickets, as known on any night."""

    def __init__(self, store: EventStore) -> None:
        self.of = {name: versions_by_key(store, name) for name in store.versions}

    def _ticket(self, ticket_id: str, night: date) -> Row | None:
        return valid(self.of["tickets"][ticket_id,], midnight(night))

    def _resolution(self, ticket_id: str, night: date) -> Row | None:
        return valid(self.of["ticket_resolutions"].get((ticket_id,), []), midnight(night))

    def _messages(self, ticket_id: str, night: date) -> list[Row]:
        keys = sorted(key for key in self.of["ticket_messages"] if key[0] == ticket_id)
        return [row for key in keys if (row := valid(self.of["ticket_messages"][key], midnight(night)))]

    def _row(self, ticket: Row, night: date) -> Row:
        text = [] if ticket["subject"] is None else [ticket["subject"]]
        unanswered = 0
        for message in self._messages(ticket["ticket_id"], night):
            is_customer = message["author"] == "customer"
            text += [message["body"]] if is_customer else []
            unanswered = unanswered + 1 if is_customer else 0
        row = {name: ticket.get(name) for name in ("customer_id", "order_id", "opened_at", "channel")}
        row["order_id"] = row["order_id"] or self._named(row["customer_id"], "\n".join(text), night)
        return row | {"as_of": night, "text": "\n".join(text), "unanswered_messages": unanswered}

    def _named(self, customer_id: str | None, text: str, night: date) -> str | None:
        """The first word that is an order of the customer, as known that night."""
        for word in re.findall("[A-Z0-9_-]+", text.upper()):
            order = valid(self.of["orders"].get((word,), []), midnight(night))
            if order and customer_id is not None and order["customer_id"] == customer_id:
                return word
        return None

    def open(self, night: date) -> dict[str, Row]:
        """features_tickets of a night."""
        known = {key[0]: row for key in self.of["tickets"] if (row := self._ticket(key[0], night))}
        return {
            name: self._row(row, night)
            for name, row in known.items()
            if row["opened_at"] < midnight(night) and not self._resolution(name, night)
        }

    def all(self, as_of: date) -> dict[str, Row]:
        """features_tickets of a training."""
        rows = {}
        for (name,), versions in self.of["tickets"].items():
            night = min(version["known_at"] for version in versions).date()
            if night <= as_of:
                ticket = self._ticket(name, night)
                assert ticket
                rows[name] = self._row(ticket, night)
        return rows

    def targets(self, known_as_of: date) -> dict[Any, Row]:
        """features_ticket_targets of one cut-off."""
        rows = {}
        for (name,) in self.of["tickets"]:
            if self._ticket(name, known_as_of):
                resolution = self._resolution(name, known_as_of)
                rows[known_as_of, name] = {
                    "intent": resolution and resolution["intent"],
                    "urgency": resolution and resolution["urgency"],
                    "is_known": resolution is not None,
                }
        return rows

    def replies(self, as_of: date) -> dict[str, Row]:
        """features_ticket_replies of a night."""
        rows = {}
        for (name,) in self.of["tickets"]:
            ticket, resolution = self._ticket(name, as_of), self._resolution(name, as_of)
            answers = [m["body"] for m in self._messages(name, as_of) if m["author"] == "agent"]
            if ticket and resolution and answers and resolution["resolved_at"] >= midnight(as_of - 365 * DAY):
                told = self._row(ticket, as_of)
                row = {"order_id": told["order_id"], "intent": resolution["intent"], "reply": answers[-1]}
                rows[name] = row | {"text": told["text"]}
        return rows

    def products(self, night: date) -> dict[str, Row]:
        """features_ticket_products of a night."""
        since, until, opened = midnight(night - 238 * DAY), midnight(night), self.open(night)
        rows = {}
        for (name,) in self.of["tickets"]:
            ticket, resolution = self._ticket(name, night), self._resolution(name, night)
            if ticket and since <= ticket["opened_at"] < until:
                order_id = opened[name]["order_id"] if name in opened else ticket.get("order_id")
                product = self._product(order_id, self._row(ticket, night)["text"], night)
                intent = resolution and resolution["intent"]
                rows[name] = {"product_id": product, "opened_at": ticket["opened_at"], "intent": intent}
        return rows

    def _product(self, order_id: str | None, text: str, night: date) -> str | None:
        """The only product of the order, else the one with the longest title that the text names."""
        keys = [key for key in self.of["order_lines"] if key[0] == order_id]
        lines = [line for key in keys if (line := valid(self.of["order_lines"][key], midnight(night)))]
        ordered = sorted({line["product_id"] for line in lines})
        if len(ordered) == 1:
            return str(ordered[0])
        known = {name: valid(self.of["products"].get((name,), []), midnight(night)) for name in ordered}
        named = [(-len(row["title"]), name) for name, row in known.items() if row and row["title"] in text]
        return min(named)[1] if named else None

    def _all_valid(self, entity: str, night: date) -> list[Row]:
        return [row for versions in self.of[entity].values() if (row := valid(versions, midnight(night)))]

    def facts(self, as_of: date) -> dict[Any, Row]:
        """features_ticket_facts of a night."""
        rows = {}
        orders = {row["order_id"]: row for row in self._all_valid("orders", as_of)}
        products = {row["product_id"]: row for row in self._all_valid("products", as_of)}
        linked = self.open(as_of) | self.replies(as_of)
        lines, returns = self._all_valid("order_lines", as_of), self._all_valid("returns", as_of)
        for (name,) in self.of["tickets"]:
            ticket = self._ticket(name, as_of)
            order = orders.get(linked[name]["order_id"]) if name in linked else None
            if not ticket or not order:
                continue
            if ticket["customer_id"] is None or ticket["customer_id"] != order["customer_id"]:
                continue
            if order["ordered_at"] >= midnight(as_of):
                continue
            mine = [row for row in lines if row["order_id"] == order["order_id"] and row["product_id"] in products]
            for product_id in {row["product_id"] for row in mine} or {None}:
                of = [row for row in mine if row["product_id"] == product_id]
                back = [
                    row
                    for row in returns
                    if row.get("order_id") == order["order_id"]
                    and row["product_id"] == product_id
                    and row["customer_id"] in (None, order["customer_id"])
                    and row["returned_at"] < midnight(as_of)
                ]
                rows[name, product_id] = _fact(order, products.get(product_id), of, back)
        return rows


def _fact(order: Row, product: Row | None, lines: list[Row], back: list[Row]) -> Row:
    prices = {line["unit_price"] for line in lines}
    return {
        **{name: order.get(name) for name in ("order_id", "status", "currency", "ordered_at")},
        "line_number": min((line["line_number"] for line in lines), default=None),
        "title": product and product["title"],
        "quantity": sum(line["quantity"] for line in lines) if lines else None,
        "unit_price": prices.pop() if len(prices) == 1 else None,
        "revenue": sum(line["quantity"] * line["unit_price"] for line in lines) if lines else None,
        "returned_units": sum(row["quantity"] for row in back) if back else None,
        "returned_at": max((row["returned_at"] for row in back), default=None),
    }
