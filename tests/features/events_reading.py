"""What the features of payments and tickets must be, read off the versions with plain loops."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from tests.features.events import KEYS, EventStore
from tests.features.store import DAY, Row, midnight


def _valid(versions: list[Row], known_at: datetime, loaded_as_of: date = date.max) -> Row | None:
    """The version of one key that was valid then."""
    known = [v for v in versions if v["known_at"] <= known_at and v["loaded_as_of"] <= loaded_as_of]
    return max(known, key=lambda v: (v["dt"], v["known_at"]), default=None)


def _by_key(store: EventStore, entity: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for version in store.versions[entity]:
        found.setdefault(tuple(version[name] for name in KEYS[entity]), []).append(version)
    return found


def _first(versions: list[Row]) -> Row:
    return min(versions, key=lambda v: (v["known_at"], -v["dt"].toordinal()))


class Payments:
    """Each payment as it was first known, and its features as of itself."""

    def __init__(self, store: EventStore) -> None:
        self.of = {entity: _by_key(store, entity) for entity in store.versions}
        self.first = {key[0]: dict(_first(versions)) for key, versions in self.of["payments"].items()}
        for (payment_id,), versions in self.of["chargebacks"].items():
            if payment_id in self.first:
                self.first[payment_id]["chargeback"] = _first(versions)
        for payment in self.first.values():
            order = self._known("orders", payment, payment["order_id"])
            payment["customer_id"] = payment["customer_id"] or (order and order["customer_id"])

    def _known(self, entity: str, payment: Row, *key: Any) -> Row | None:
        return _valid(self.of[entity].get(key, []), payment["known_at"], payment["loaded_as_of"])

    def features(self) -> dict[str, Row]:
        """int_payment_features, by payment."""
        return {name: self._features(payment) for name, payment in self.first.items()}

    def targets(self, known_as_of: date, label_maturity_days: int) -> dict[Any, Row]:
        """features_payment_targets of one cut-off."""
        now = midnight(known_as_of)
        return {
            (known_as_of, name): {
                "is_fraud": "chargeback" in payment and payment["chargeback"]["known_at"] <= now,
                "is_mature": payment["paid_at"] + label_maturity_days * DAY <= now,
            }
            for name, payment in self.first.items()
            if payment["known_at"] <= now
        }

    def _before(self, payment: Row, column: str, days: int) -> list[Row]:
        """Payments with the same value in a column that the payment may know."""
        return [
            other
            for other in self.first.values()
            if payment[column] is not None
            and other[column] == payment[column]
            and payment["paid_at"] - days * DAY <= other["paid_at"] < payment["paid_at"]
            and other["known_at"] <= payment["known_at"]
            and other["loaded_as_of"] <= payment["loaded_as_of"]
        ]

    def _charged_back(self, payment: Row, column: str) -> int:
        found = [other["chargeback"] for other in self._before(payment, column, 365) if "chargeback" in other]
        return sum(
            chargeback["reported_at"] < payment["paid_at"]
            and chargeback["known_at"] <= payment["known_at"]
            and chargeback["loaded_as_of"] <= payment["loaded_as_of"]
            for chargeback in found
        )

    def _rate(self, payment: Row, column: str) -> float:
        return (self._charged_back(payment, column) + 0.1) / (len(self._before(payment, column, 365)) + 20)

    def _others(self, payment: Row, column: str, days: int) -> int:
        who = {other["customer_id"] for other in self._before(payment, column, days)}
        return len(who - {None, payment["customer_id"]})

    def _features(self, p: Row) -> Row:
        order = self._known("orders", p, p["order_id"])
        order = order if order and order["ordered_at"] <= p["paid_at"] else None
        lines = self._lines(p) if order else []
        mine = self._before(p, "customer_id", 365)
        return {
            **{name: p[name] for name in ("order_id", "customer_id", "paid_at", "known_at", "loaded_as_of")},
            "as_of": p["known_at"].date(),
            "amount": float(p["amount"]),
            "hour_of_day": p["paid_at"].hour,
            "day_of_week": p["paid_at"].isoweekday(),
            "account_age_days": self._account_age(p),
            "order_lines": len(lines) or None,
            "order_units": sum(line["quantity"] for line in lines) or None,
            "most_expensive_unit_price": max((float(line["unit_price"]) for line in lines), default=None),
            "is_guest": int(p["customer_id"] is None),
            "ip_country_differs": _differ(p["ip_country"], p["billing_country"]),
            "ship_country_differs": _differ(order and order["ship_country"], p["billing_country"]),
            "customer_amount_30d": float(sum(other["amount"] for other in self._before(p, "customer_id", 30))),
            "customer_payments_before": len(mine),
            "amount_over_usual": _over(float(p["amount"]), [float(other["amount"]) for other in mine]),
            "days_since_customer_paid": min(((p["paid_at"] - o["paid_at"]) / DAY for o in mine), default=None),
            "is_device_new_to_customer": _is_new(p, "device_id", mine),
            "is_card_new_to_customer": _is_new(p, "card_token", mine),
            "customer_returns_90d": self._returns(p),
            **self._counts(p),
        }

    def _counts(self, p: Row) -> Row:
        columns = {"customer": "customer_id", "device": "device_id", "card": "card_token"}
        columns |= {"ip": "ip_address", "ip_prefix": "ip_prefix"}
        windows = dict.fromkeys(("customer", "device", "card"), (1, 7, 30)) | {"ip": (1, 7), "ip_prefix": (7,)}
        return {
            f"{name}_payments_{days}d": len(self._before(p, columns[name], days))
            for name in columns
            for days in windows[name]
        } | {
            "device_customers_30d": self._others(p, "device_id", 30),
            "card_customers_30d": self._others(p, "card_token", 30),
            "ip_customers_7d": self._others(p, "ip_address", 7),
            **{f"{name}_chargebacks": self._charged_back(p, columns[name]) for name in columns if name != "ip"},
            **{f"{name}_chargeback_rate": self._rate(p, columns[name]) for name in ("device", "card", "ip_prefix")},
        }

    def _lines(self, p: Row) -> list[Row]:
        keys = [key for key in self.of["order_lines"] if key[0] == p["order_id"]]
        lines = [line for key in keys if (line := self._known("order_lines", p, *key))]
        return [line for line in lines if self._known("products", p, line["product_id"])]

    def _account_age(self, p: Row) -> int | None:
        customer = self._known("customers", p, p["customer_id"])
        signed_up_at = customer and customer["signed_up_at"]
        if not signed_up_at or signed_up_at >= p["paid_at"]:
            return None
        return int((p["paid_at"].date() - signed_up_at.date()).days)

    def _returns(self, p: Row) -> int:
        start = p["paid_at"] - timedelta(days=90)
        known = [row for key in self.of["returns"] if (row := self._known("returns", p, *key))]
        return sum(
            p["customer_id"] is not None
            and row["customer_id"] == p["customer_id"]
            and start <= row["returned_at"] < p["paid_at"]
            for row in known
        )


def _differ(one: str | None, other: str | None) -> int | None:
    return None if one is None or other is None else int(one != other)


def _over(amount: float, before: list[float]) -> float | None:
    return amount * len(before) / sum(before) if sum(before) else None


def _is_new(p: Row, column: str, mine: list[Row]) -> int | None:
    if p["customer_id"] is None or p[column] is None:
        return None
    return int(all(other[column] != p[column] for other in mine))


class Tickets:
    """Tickets, as known on any night."""

    def __init__(self, store: EventStore) -> None:
        names = ("tickets", "ticket_messages", "ticket_resolutions", "orders", "order_lines", "products")
        self.of = {name: _by_key(store, name) for name in names}

    def _ticket(self, ticket_id: str, night: date) -> Row | None:
        return _valid(self.of["tickets"][ticket_id,], midnight(night))

    def _resolution(self, ticket_id: str, night: date) -> Row | None:
        return _valid(self.of["ticket_resolutions"].get((ticket_id,), []), midnight(night))

    def _messages(self, ticket_id: str, night: date) -> list[Row]:
        keys = sorted(key for key in self.of["ticket_messages"] if key[0] == ticket_id)
        return [row for key in keys if (row := _valid(self.of["ticket_messages"][key], midnight(night)))]

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
            order = _valid(self.of["orders"].get((word,), []), midnight(night))
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
                    "has_reply": resolution is not None
                    and resolution["resolved_at"] >= midnight(known_as_of - 180 * DAY)
                    and any(m["author"] == "agent" for m in self._messages(name, known_as_of)),
                }
        return rows

    def replies(self, as_of: date) -> dict[str, Row]:
        """features_ticket_replies of a night."""
        rows = {}
        for (name,) in self.of["tickets"]:
            ticket, resolution = self._ticket(name, as_of), self._resolution(name, as_of)
            answers = [m["body"] for m in self._messages(name, as_of) if m["author"] == "agent"]
            if ticket and resolution and answers and resolution["resolved_at"] >= midnight(as_of - 365 * DAY):
                rows[name] = {"order_id": ticket.get("order_id"), "reply": answers[-1]}
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
        lines = [line for key in keys if (line := _valid(self.of["order_lines"][key], midnight(night)))]
        ordered = sorted({line["product_id"] for line in lines})
        if len(ordered) == 1:
            return str(ordered[0])
        known = {name: _valid(self.of["products"].get((name,), []), midnight(night)) for name in ordered}
        named = [(-len(row["title"]), name) for name, row in known.items() if row and row["title"] in text]
        return min(named)[1] if named else None
