"""Write the demo store's landing zone: its history in one partition, then a partition for each day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demo.price_list import UsualPrice, list_prices
from demo.trim_orders import ORDERS_FILE
from pipelines.contract import CUSTOMERS, ENTITIES, ORDER_LINES, ORDERS, PRODUCTS, Entity, Type

HISTORY_DT = date(2011, 5, 31)  # the history partition holds this day and all before it

ARROW_TYPES: dict[Type, pa.DataType] = {
    Type.ID: pa.string(),
    Type.TEXT: pa.string(),
    Type.TS: pa.timestamp("us"),
    Type.N: pa.int64(),
    Type.MONEY: pa.decimal128(18, 4),
    Type.FLAG: pa.bool_(),
}

# The file leaves a title out where it repeats the product's last, and an order may be entered over some minutes.
SALES = """
create temp table sales as
with filled as (
    select * replace (
        last_value(title ignore nulls) over (partition by product_id order by file_row_number) as title,
        min(ordered_at) over (partition by order_id) as ordered_at)
    from read_parquet(?, file_row_number = true)
)
select *, ordered_at::date as ordered_on, greatest(ordered_at::date, ?) as dt,
    row_number() over (partition by order_id order by file_row_number) as line_number
from filled
where quantity > 0  -- cancellations wait for the entity `returns`
"""

CUSTOMERS_SQL = """
select min(dt) as dt, customer_id, arg_min_null(country, file_row_number) as country, min(ordered_at) as updated_at
from sales where customer_id is not null
group by customer_id order by dt, customer_id
"""

ORDERS_SQL = """
select distinct dt, order_id, customer_id, ordered_at, if(dt = ?, 'delivered', 'paid') as status,
    country as ship_country, 'web' as channel, 'GBP' as currency
from sales
order by dt, ordered_at, order_id
"""

ORDER_LINES_SQL = """
select dt, order_id, line_number, product_id, quantity, unit_price
from sales
order by dt, ordered_at, order_id, line_number
"""

# Guests' lines are mostly the orders of another shop at its own prices: they count on a product's first day alone.
USUAL_PRICES_SQL = """
with prices as (
    select product_id, ordered_on, customer_id is null as is_guest, unit_price,
        count(*) as lines, sum(quantity) as units
    from sales group by all
),
usual as (
    select *, min(ordered_on) over (partition by product_id) as first_sold_on
    from prices
    qualify row_number() over (
        partition by product_id, ordered_on order by is_guest, lines desc, units desc, unit_price) = 1
)
select product_id, ordered_on, unit_price from usual
where not is_guest or ordered_on = first_sold_on
order by product_id, ordered_on
"""

# In the history only the last version stays, with the title most used up to its end.
PRODUCTS_SQL = """
with versions as (
    select greatest(listed_on, ?) as dt, product_id, arg_max(price, listed_on) as unit_price,
        max(listed_on) as listed_on
    from listed group by all
),
moments as (
    select product_id, ordered_on as listed_on, max(ordered_at) as updated_at
    from sales group by all
),
titles as (
    select product_id, title, dt as used_dt, count(*) as lines, max(file_row_number) as last_row
    from sales group by all
),
known_titles as (
    select dt, product_id, title
    from versions join titles using (product_id)
    where used_dt <= dt
    group by dt, product_id, title
    qualify row_number() over (partition by dt, product_id order by sum(lines) desc, max(last_row) desc) = 1
)
select dt, product_id, coalesce(title, product_id) as title, unit_price, true as is_active, updated_at
from versions join known_titles using (dt, product_id) join moments using (product_id, listed_on)
order by dt, product_id
"""


def write_demo_store(folder: Path, progress: Callable[[str], None] | None = None) -> None:
    """Write `<folder>/<entity>/dt=YYYY-MM-DD/part-0.parquet` and `_SUCCESS`; writing again changes no byte."""
    for name, table in landing_tables(ORDERS_FILE).items():
        days = write_partitions(folder / name, table)
        if progress is not None:
            progress(f"{name}: {table.num_rows:,} rows in {days} partitions")
    attribution = pq.read_schema(ORDERS_FILE).metadata
    lines = [f"{key.decode()}: {value.decode()}" for key, value in attribution.items()]
    (folder / "ATTRIBUTION.txt").write_text("\n".join(lines) + "\n", "utf-8")


def landing_tables(source: Path) -> dict[str, pa.Table]:
    """The rows of each entity: the contract's columns after `dt`, ordered by it, with the source's attribution."""
    attribution = pq.read_schema(source).metadata
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(SALES, [str(source), HISTORY_DT])
        listed = _listed_prices(connection)
        connection.register("listed", listed)
        tables = {
            CUSTOMERS.name: connection.sql(CUSTOMERS_SQL).to_arrow_table(),
            PRODUCTS.name: connection.sql(PRODUCTS_SQL, params=[HISTORY_DT]).to_arrow_table(),
            ORDERS.name: connection.sql(ORDERS_SQL, params=[HISTORY_DT]).to_arrow_table(),
            ORDER_LINES.name: connection.sql(ORDER_LINES_SQL).to_arrow_table(),
        }
    return {name: _conform(table, ENTITIES[name], attribution) for name, table in tables.items()}


def write_partitions(folder: Path, table: pa.Table) -> int:
    """Write each `dt` of a table ordered by it to its own partition; how many there are."""
    runs = pc.run_end_encode(table["dt"].combine_chunks())
    rows = table.drop_columns("dt")
    for dt, (start, end) in zip(runs.values.to_pylist(), pairwise([0, *runs.run_ends.to_pylist()]), strict=True):
        _write_partition(folder / f"dt={dt}", rows.slice(start, end - start))
    return len(runs.values)


def _listed_prices(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The list price of each product and the day it began."""
    usual = (UsualPrice(*row) for row in connection.execute(USUAL_PRICES_SQL).fetchall())
    listed = list(list_prices(usual))
    return pa.table(
        {
            "product_id": [price.product_id for price in listed],
            "listed_on": [price.day for price in listed],
            "price": [price.price for price in listed],
        }
    )


def _conform(table: pa.Table, entity: Entity, attribution: dict[bytes, bytes]) -> pa.Table:
    """The contract's columns in its order and types; those that the store does not have are null."""
    arrays = [table["dt"]]
    fields = [pa.field("dt", pa.date32())]
    for column in entity.columns:
        arrow_type = ARROW_TYPES[column.type]
        has_column = column.name in table.column_names
        arrays.append(table[column.name].cast(arrow_type) if has_column else pa.nulls(table.num_rows, arrow_type))
        fields.append(pa.field(column.name, arrow_type))
    return pa.table(arrays, pa.schema(fields, metadata=attribution))


def _write_partition(folder: Path, rows: pa.Table) -> None:
    """Write one partition: the part aside, then renamed, then the mark that it counts; an equal one is left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    part, aside = folder / "part-0.parquet", folder / "part-0.parquet.partial"
    pq.write_table(rows, aside, compression="zstd")
    if part.exists() and part.read_bytes() == aside.read_bytes():
        aside.unlink()
    else:
        aside.replace(part)
    if not (folder / "_SUCCESS").exists():
        (folder / "_SUCCESS").touch()
