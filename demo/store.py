"""Write the demo store's landing zone: its history in one partition, then a partition for each day."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from demo.draws import Floats, Ints, integers, uniform
from demo.events import simulate_events
from demo.frames import GUEST, Lines, Orders, Products, money
from demo.landing import ALL_ENTITIES, ARROW_TYPES, conform, dated, write_partitions
from demo.oracle import payment_figures, ticket_figures
from demo.payments import simulate_payments
from demo.real_orders import HISTORY_DT, real_arrays, real_tables
from demo.stock import Shelves
from demo.tickets import simulate_tickets
from demo.trim_orders import ORDERS_FILE

__all__ = ["ARROW_TYPES", "HISTORY_DT", "landing_tables", "write_demo_store"]

SEED = 7
TYPICAL_CENTS = 30_000  # the median order
STOCK_SINCE = date(2011, 4, 1)  # the history's first day of stock_levels
LATELY = 30  # days that visitors and what they look at are taken from
SIMULATED = {
    "simulated": "true",
    "simulator": f"Nightcart's demo store, seed {SEED}",
    "based_on": "orders of Online Retail II, Chen, D. (2012), doi 10.24432/C5CG6D, CC BY 4.0",
}
LABEL = """
Real, from the source above: orders, order_lines, customers and products, and returns from its cancellations.
Simulated by Nightcart and real in nothing: payments, chargebacks, events, stock_levels, tickets, ticket_messages,
ticket_resolutions. Their Parquet metadata says `simulated: true`.
"""


def write_demo_store(folder: Path, progress: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Write `<folder>/<entity>/dt=YYYY-MM-DD/part-0.parquet` and `_SUCCESS`; writing again changes no byte.

    What was planted goes to `<folder>.truth`; returned are the figures of the oracle and of the keyword rule.
    """
    tables, truths = demo_tables(ORDERS_FILE)
    for name, table in tables.items():
        days = write_partitions(folder / name, table)
        if progress is not None:
            progress(f"{name}: {table.num_rows:,} rows in {days} partitions")
    attribution = pq.read_schema(ORDERS_FILE).metadata
    lines = [f"{key.decode()}: {value.decode()}" for key, value in attribution.items()]
    (folder / "ATTRIBUTION.txt").write_text("\n".join(lines) + "\n" + LABEL, "utf-8")
    figures: dict[str, Any] = payment_figures(truths["payments"]) | ticket_figures(
        tables["tickets"], tables["ticket_messages"], truths["tickets"]
    )
    truth = folder.with_name(folder.name + ".truth")
    truth.mkdir(exist_ok=True)
    for name, table in truths.items():
        pq.write_table(table.replace_schema_metadata(SIMULATED), truth / f"{name}.parquet", compression="zstd")
    (truth / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return figures


def landing_tables(source: Path) -> dict[str, pa.Table]:
    """The rows of each entity: the contract's columns after `dt`, ordered by it, with where they come from."""
    return demo_tables(source)[0]


def demo_tables(source: Path) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
    """The rows of each entity, and the truths behind those that are simulated."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set enable_progress_bar = false")
        tables = real_tables(connection, source)
        orders, lines, products = real_arrays(connection, tables["returns"])
    last_dt = orders.ordered_at[-1].astype("datetime64[D]").item()
    paid = simulate_payments(orders, TYPICAL_CENTS, SEED)
    support = simulate_tickets(orders, lines, products, SEED)
    tables["products"] = _supplied(tables["products"], products)
    simulated = {
        "payments": (paid.payments, "paid_at"),
        "chargebacks": (paid.chargebacks, "reported_at"),
        "events": (_events(orders, lines, products), "occurred_at"),
        "stock_levels": (_stock(orders, lines, products, last_dt), "as_of_date"),
        "tickets": (support["tickets"], "opened_at"),
        "ticket_messages": (support["ticket_messages"], "sent_at"),
        "ticket_resolutions": (support["ticket_resolutions"], "resolved_at"),
    }
    for name, (table, happened) in simulated.items():
        tables[name] = conform(dated(table, happened, HISTORY_DT, last_dt), name, SIMULATED)
    seen = dated(support["truth"], "opened_at", HISTORY_DT, last_dt).drop_columns("dt")
    return {name: tables[name] for name in ALL_ENTITIES}, {"payments": paid.truth, "tickets": seen}


def _events(orders: Orders, lines: Lines, products: Products) -> pa.Table:
    """Events from the history's last day on."""
    days = orders.ordered_at.astype("datetime64[D]").astype(np.int64)
    line_days = days[lines.order]
    tables = []
    for day in np.unique(days[days >= np.datetime64(HISTORY_DT).astype(np.int64)]).tolist():
        first, last = np.searchsorted(days, [day, day + 1])
        since, until = np.searchsorted(line_days, [day - LATELY, day])
        past = np.arange(*np.searchsorted(days, [day - LATELY, day]))
        visitors = orders.customer_id.take(pa.array(past[orders.customer[past] != GUEST]))
        part = lines.between(int(first), int(last))
        lately = lines.product[since:until]
        tables.append(simulate_events(day, orders.take(np.arange(first, last)), part, products, lately, visitors, SEED))
    return pa.concat_tables(tables)


def _supply(products: Products) -> tuple[Ints, Ints, Floats]:
    """Days of lead time, units in a pack and the cost's share of the price, by product."""
    number: Ints = np.arange(len(products.product_id))
    multiple = np.array([1, 6, 12, 24])[integers(SEED, "multiple", 4, number)]
    return 4 + integers(SEED, "lead time", 15, number), multiple, 0.4 + 0.3 * uniform(SEED, "cost", number)


def _supplied(table: pa.Table, products: Products) -> pa.Table:
    """The real products with what no public set tells of them: cost, lead time and pack size, simulated."""
    which = pa.compute.index_in(table["product_id"], value_set=products.product_id).to_numpy().astype(np.int64)
    lead_time, multiple, share = (column[which] for column in _supply(products))
    cost = np.round(table["unit_price"].cast(pa.float64()).to_numpy() * share * 100).astype(np.int64)
    columns = {"unit_cost": money(cost), "lead_time_days": pa.array(lead_time), "order_multiple": pa.array(multiple)}
    for name, column in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), column.cast(table.schema.field(name).type))
    return table


def _stock(orders: Orders, lines: Lines, products: Products, last_dt: date) -> pa.Table:
    """Daily stock of what sold lately; sales are real, so a shelf that would be empty never stopped one."""
    days = orders.ordered_at.astype("datetime64[D]").astype(np.int64)[lines.order]
    lead_time, multiple, _ = _supply(products)
    shelves = Shelves(lead_time, multiple, SEED)
    tables = []
    for day in range(int(days[0]), int(np.datetime64(last_dt).astype(np.int64)) + 1):
        start, end = np.searchsorted(days, [day, day + 1])
        sold = np.bincount(lines.product[start:end], lines.quantity[start:end], len(lead_time)).astype(np.int64)
        shelves.step(day, sold)
        if day >= np.datetime64(STOCK_SINCE).astype(np.int64):
            tables.append(shelves.levels(day, products.product_id))
    return pa.concat_tables(tables)
