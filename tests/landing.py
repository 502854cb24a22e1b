"""Small stores for tests: rows of the contract's entities and partitions of a landing zone in each format."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipelines.contract import ENTITIES
from pipelines.home import Home
from pipelines.ingest.casts import ARROW
from pipelines.ingest.collect import collect
from pipelines.ingest.load import load
from pipelines.validate.validate import validate_incoming

Row = dict[str, Any]
DAY = timedelta(days=1)


def at(day: date, hour: int = 12) -> datetime:
    """An hour of a day."""
    return datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001 - naive is UTC in the contract


def customer(customer_id: str, day: date, **changes: Any) -> Row:
    """A customer who changed on a day."""
    row = {"customer_id": customer_id, "country": "France", "email": f"{customer_id}@shop.example"}
    return row | {"updated_at": at(day)} | changes


def product(product_id: str, day: date, **changes: Any) -> Row:
    """A product that changed on a day."""
    row = {"product_id": product_id, "title": f"Lamp {product_id}", "category": "Home > Lamps", "is_active": True}
    return row | {"unit_price": Decimal("2.5000"), "updated_at": at(day)} | changes


def order(order_id: str, day: date, **changes: Any) -> Row:
    """An order of a day."""
    row = {"order_id": order_id, "customer_id": "c1", "status": "paid", "ship_country": "France", "currency": "GBP"}
    return row | {"ordered_at": at(day), "channel": "web"} | changes


def line(order_id: str, line_number: int = 1, **changes: Any) -> Row:
    """A line of an order."""
    row = {"order_id": order_id, "line_number": line_number, "product_id": "p1", "quantity": 2}
    return row | {"unit_price": Decimal("2.5000")} | changes


def returned(return_id: str, day: date, **changes: Any) -> Row:
    """A return of a day."""
    row = {"return_id": return_id, "order_id": "o1", "customer_id": "c1", "product_id": "p1", "quantity": 1}
    return row | {"returned_at": at(day)} | changes


def payment(payment_id: str, day: date, **changes: Any) -> Row:
    """A payment of a day."""
    row = {"payment_id": payment_id, "order_id": "o1", "customer_id": "c1", "amount": Decimal("5.0000")}
    personal = {"card_token": f"card of {payment_id}", "device_id": "device 1", "ip_address": "198.51.100.7"}
    country = {"ip_country": "France", "billing_country": "France"}
    return row | {"paid_at": at(day), "method": "card"} | personal | country | changes


def chargeback(payment_id: str, day: date, **changes: Any) -> Row:
    """A chargeback that was reported on a day."""
    return {"payment_id": payment_id, "reported_at": at(day), "reason": "fraud"} | changes


def event(event_id: str, day: date, **changes: Any) -> Row:
    """An event of a day."""
    row = {"event_id": event_id, "customer_id": "c1", "session_id": "s1", "product_id": "p1", "kind": "view"}
    return row | {"occurred_at": at(day)} | changes


def stock_level(product_id: str, day: date, **changes: Any) -> Row:
    """The stock of a product on a day."""
    return {"product_id": product_id, "as_of_date": day, "on_hand": 10, "on_order": 5} | changes


def ticket(ticket_id: str, day: date, **changes: Any) -> Row:
    """A ticket that was opened on a day."""
    row = {"ticket_id": ticket_id, "customer_id": "c1", "order_id": "o1", "channel": "email"}
    return row | {"opened_at": at(day), "subject": "Where is my order?"} | changes


def ticket_message(ticket_id: str, day: date, number: int = 1, **changes: Any) -> Row:
    """A message of a ticket."""
    row = {"ticket_id": ticket_id, "message_number": number, "author": "customer", "sent_at": at(day)}
    return row | {"body": f"Order {ticket_id} has not arrived."} | changes


def ticket_resolution(ticket_id: str, day: date, **changes: Any) -> Row:
    """How a ticket ended."""
    return {"ticket_id": ticket_id, "resolved_at": at(day), "intent": "delivery", "urgency": "normal"} | changes


OPTIONAL_ROWS: dict[str, Callable[..., Row]] = {
    "returns": returned,
    "payments": payment,
    "chargebacks": chargeback,
    "events": event,
    "stock_levels": stock_level,
    "tickets": ticket,
    "ticket_messages": ticket_message,
    "ticket_resolutions": ticket_resolution,
}


def table_of(entity: str, rows: Iterable[Row]) -> pa.Table:
    """Rows as the contract types them, without the columns that no row has."""
    rows = list(rows)
    used = {name for row in rows for name in row}
    named = [column for column in ENTITIES[entity].columns if column.name in used or (not rows and not column.nullable)]
    return pa.Table.from_pylist(rows, schema=pa.schema([(column.name, ARROW[column.type]) for column in named]))


class Landing:
    """A landing zone to write into."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def folder(self, entity: str, dt: date) -> Path:
        """The folder of a partition."""
        return self.root / entity / f"dt={dt}"

    def write(
        self,
        entity: str,
        dt: date,
        rows: Iterable[Row] | pa.Table,
        *,
        form: str = "parquet",
        name: str = "part-0",
        success: bool = True,
    ) -> Path:
        """Write a partition in place of what was there; returns the file."""
        shutil.rmtree(self.folder(entity, dt), ignore_errors=True)
        return self.add(entity, dt, rows, form=form, name=name, success=success)

    def add(
        self,
        entity: str,
        dt: date,
        rows: Iterable[Row] | pa.Table,
        *,
        form: str = "parquet",
        name: str = "part-0",
        success: bool = True,
    ) -> Path:
        """Add a file to a partition; returns it."""
        table = rows if isinstance(rows, pa.Table) else table_of(entity, rows)
        file = self.folder(entity, dt) / f"{name}.{form}"
        file.parent.mkdir(parents=True, exist_ok=True)
        if form == "parquet":
            pq.write_table(table, file)
        else:
            with gzip.open(file, "wb") if form.endswith("gz") else file.open("wb") as stream:
                pacsv.write_csv(table, stream)
        if success:
            (file.parent / "_SUCCESS").touch()
        return file

    def write_bytes(self, entity: str, dt: date, content: bytes, name: str = "part-0.csv") -> Path:
        """Write a partition of one file with these bytes."""
        shutil.rmtree(self.folder(entity, dt), ignore_errors=True)
        file = self.folder(entity, dt) / name
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        (file.parent / "_SUCCESS").touch()
        return file

    def write_store(self, first: date, days: int = 1, *, orders_a_day: int = 5, form: str = "parquet") -> None:
        """A store with a history partition and daily ones after it: two customers, two products, some orders a day."""
        self.write("customers", first, [customer("c1", first - DAY), customer("c2", first - DAY)], form=form)
        self.write("products", first, [product("p1", first - DAY), product("p2", first - DAY)], form=form)
        for back in range(days):
            day = first + back * DAY
            self.write_orders(day, orders_a_day, form=form)

    def write_orders(self, day: date, count: int, *, form: str = "parquet", **changes: Mapping[str, Any]) -> None:
        """Orders of a day, each with one line."""
        ids = [f"{day:%y%m%d}-{number}" for number in range(count)]
        self.write("orders", day, [order(order_id, day, **changes) for order_id in ids], form=form)
        self.write("order_lines", day, [line(order_id) for order_id in ids], form=form)

    def write_optional(self, day: date, count: int = 2, *, form: str = "parquet") -> None:
        """A partition of each optional entity, with rows of that day."""
        for entity, make in OPTIONAL_ROWS.items():
            self.write(entity, day, [make(f"{day:%y%m%d}-{number}", day) for number in range(count)], form=form)


def run_steps(home: Home, as_of: date) -> dict[str, Row]:
    """Collect, validate and load one night; what each step returned."""
    return {step.__name__: step(home, as_of) for step in (collect, validate_incoming, load)}


def raw(home: Home, entity: str) -> list[Row]:
    """The versions of an entity in the warehouse, in order."""
    key = ", ".join(ENTITIES[entity].key)
    with home.warehouse.session() as session:
        rows = session.read(f"select * from raw.{entity} order by {key}, dt, known_at, loaded_as_of")
    return list(rows.to_pylist())
