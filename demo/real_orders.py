"""The real part of the demo store: customers, products, orders, lines and returns from the committed orders."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from demo.draws import Ints, Times
from demo.frames import GUEST, Lines, Orders, Products
from demo.landing import conform
from demo.price_list import UsualPrice, list_prices

HISTORY_DT = date(2011, 5, 31)  # the history partition holds this day and all before it

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

# A cancellation names no order: it is of the customer's last order of the product before it, where there is one.
RETURNS_SQL = """
with cancelled as (
    select *, row_number() over (partition by order_id order by file_row_number) as line_number
    from read_parquet(?, file_row_number = true) where quantity < 0
),
sold as (
    select product_id, min(ordered_at) as first_sold_at from sales group by all
),
bought as (
    select distinct customer_id, product_id, ordered_at as bought_at, max(order_id) as bought_in
    from sales where customer_id is not null group by all
)
select greatest(ordered_at::date, ?) as dt, order_id || '-' || line_number as return_id, bought_in as order_id,
    cancelled.customer_id, cancelled.product_id, -quantity as quantity, ordered_at as returned_at
from cancelled
join sold on cancelled.product_id = sold.product_id
asof left join bought on cancelled.customer_id = bought.customer_id and cancelled.product_id = bought.product_id
    and cancelled.ordered_at >= bought.bought_at
where ordered_at >= first_sold_at
order by dt, returned_at, return_id
"""

# Numbered in the order they came, so that what comes later moves no number.
ORDERS_AS_ARRAYS = """
select order_id, any_value(customer_id) as customer_id, any_value(ordered_at) as ordered_at,
    sum(quantity * unit_price * 100)::bigint as cents,
    coalesce(arg_min(country, file_row_number), 'United Kingdom') as country
from sales group by order_id order by ordered_at, order_id
"""
LINES_AS_ARRAYS = """
with products as (
    select product_id, row_number() over (order by min(ordered_at), min(file_row_number)) - 1 as product
    from sales group by product_id
)
select order_id, product, quantity, unit_price
from sales join products using (product_id)
order by ordered_at, order_id, line_number
"""
PRODUCTS_AS_ARRAYS = """
select product_id, coalesce(first(title order by ordered_at, file_row_number), product_id) as title
from sales group by product_id order by min(ordered_at), min(file_row_number)
"""


def real_tables(connection: duckdb.DuckDBPyConnection, source: Path) -> dict[str, pa.Table]:
    """The real entities with their `dt`; leaves the sales in the connection."""
    connection.execute(SALES, [str(source), HISTORY_DT])
    connection.register("listed", _listed_prices(connection))
    attribution = pq.read_schema(source).metadata
    tables = {
        "customers": connection.sql(CUSTOMERS_SQL),
        "products": connection.sql(PRODUCTS_SQL, params=[HISTORY_DT]),
        "orders": connection.sql(ORDERS_SQL, params=[HISTORY_DT]),
        "order_lines": connection.sql(ORDER_LINES_SQL),
        "returns": connection.sql(RETURNS_SQL, params=[str(source), HISTORY_DT]),
    }
    return {name: conform(query.to_arrow_table(), name, attribution) for name, query in tables.items()}


def real_arrays(connection: duckdb.DuckDBPyConnection, returns: pa.Table) -> tuple[Orders, Lines, Products]:
    """The sales as the simulator takes them."""
    orders = connection.sql(ORDERS_AS_ARRAYS).to_arrow_table().combine_chunks()
    lines = connection.sql(LINES_AS_ARRAYS).to_arrow_table()
    products = connection.sql(PRODUCTS_AS_ARRAYS).to_arrow_table().combine_chunks()
    customer = orders["customer_id"].fill_null(GUEST).to_numpy().astype(np.int64)
    ordered_at = orders["ordered_at"].to_numpy().astype("datetime64[us]")
    order_id = orders["order_id"].combine_chunks()
    frame = Orders(
        np.arange(len(order_id)), order_id, customer, orders["customer_id"].combine_chunks().cast(pa.string()),
        ordered_at, orders["cents"].to_numpy(), orders["country"].combine_chunks(),
        _returns_before(customer, ordered_at, returns), _same_day(customer, ordered_at),
    )  # fmt: skip
    order = pa.compute.index_in(lines["order_id"], value_set=order_id).to_numpy().astype(np.int64)
    return (
        frame,
        Lines(order, lines["product"].to_numpy(), lines["quantity"].to_numpy().astype(np.int64)),
        Products(products["product_id"].combine_chunks(), products["title"].to_pylist()),
    )


def _returns_before(customer: Ints, ordered_at: Times, returns: pa.Table) -> Ints:
    """How many returns each order's customer had made before it."""
    known = returns.filter(returns["customer_id"].is_valid())
    seconds = np.int64(10**11)
    returned_at = known["returned_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    moments = np.sort(known["customer_id"].cast(pa.int64()).to_numpy() * seconds + returned_at)
    start = customer * seconds
    until = start + ordered_at.astype("datetime64[s]").astype(np.int64)
    return np.asarray(np.searchsorted(moments, until) - np.searchsorted(moments, start))


def _same_day(customer: Ints, ordered_at: Times) -> Ints:
    """How many orders each order's customer placed on its day; one for a guest."""
    keys = customer * 10**6 + ordered_at.astype("datetime64[D]").astype(np.int64)
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.where(customer == GUEST, 1, counts[place])


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
