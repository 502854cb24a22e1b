"""Trim the UCI Online Retail II data set to the orders that the demo store needs.

    python -m demo.trim_orders SOURCE.parquet [TARGET.parquet]

SOURCE holds both sheets of the data set as published, with a column `sheet`. What is changed is listed in README.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

ORDERS_FILE = Path(__file__).with_name("orders.parquet")

ATTRIBUTION = {
    "title": "Online Retail II",
    "creator": "Chen, D. (2012)",
    "publisher": "UCI Machine Learning Repository, id 502",
    "doi": "10.24432/C5CG6D",
    "source": "https://archive.ics.uci.edu/dataset/502/online+retail+ii",
    "license": "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
    "changes": "Trimmed and recoded for Nightcart's demo store; demo/README.md lists each change.",
}

SCHEMA = pa.schema(
    [
        ("order_id", pa.string()),
        ("ordered_at", pa.timestamp("ms")),
        ("customer_id", pa.int32()),
        ("country", pa.string()),
        ("product_id", pa.string()),
        ("title", pa.string()),
        ("quantity", pa.int32()),
        ("unit_price", pa.decimal128(9, 2)),
    ]
)

# Products are five digits and optional letters, a gift shop's own DCGS codes, and one stray code. Everything else is
# postage, fees, vouchers, manual entries, adjustments, samples, tests.
PRODUCT_CODE = r"^([0-9]{5}[A-Z]*|DCGS[0-9A-Z]+|SP1002)$"
# They look like products and are not: gift voucher, next day carriage, packing charge, picture file.
NOT_PRODUCTS = ("22016", "23444", "23574", "23702")

TRIM = f"""
with numbered as (
    select row_number() over () as row_number, upper(trim("StockCode")) as product_id, * from source
),
kept as (
    select
        row_number, "Invoice" as order_id, "InvoiceDate" as ordered_at, "Customer ID" as customer_id,
        nullif("Country", 'Unspecified') as country, product_id, trim("Description") as title,
        "Quantity" as quantity, "Price"::decimal(9, 2) as unit_price
    from numbered
    where not (sheet = '2009-2010' and "InvoiceDate" >= timestamp '2010-12-01')
        and regexp_matches(product_id, '{PRODUCT_CODE}') and product_id not in {NOT_PRODUCTS}
        and "Price" > 0
        and case when starts_with("Invoice", 'C') then "Quantity" < 0 else "Quantity" > 0 end
),
with_last_title as (
    select *, lag(title ignore nulls) over (partition by product_id order by row_number) as last_title from kept
)
select * exclude (row_number, title, last_title),
    case when title is distinct from last_title then title end as title
from with_last_title
order by row_number
"""


def trim_orders(source: Path) -> pa.Table:
    """The rows of the demo store in the order of the source; a title is null where it repeats the product's last."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.from_parquet(str(source)).create_view("source")
        trimmed = connection.sql(TRIM).select(", ".join(SCHEMA.names)).to_arrow_table()
    return trimmed.cast(SCHEMA).replace_schema_metadata(ATTRIBUTION)


def write_orders(orders: pa.Table, target: Path) -> None:
    """Write the table as one small Parquet file: one row group, the encoding that zstd presses best per column."""
    pq.write_table(
        orders,
        target,
        row_group_size=orders.num_rows,
        compression="zstd",
        compression_level=22,
        data_page_size=2**23,
        use_dictionary=["country", "product_id", "title"],
        column_encoding=dict.fromkeys(("order_id", "customer_id", "quantity", "unit_price"), "PLAIN")
        | {"ordered_at": "DELTA_BINARY_PACKED"},
        store_decimal_as_integer=True,
    )


def main(arguments: list[str]) -> int:
    """Trim the file named first into the file named second, or into the committed one."""
    if len(arguments) not in (1, 2):
        sys.stderr.write("usage: python -m demo.trim_orders SOURCE.parquet [TARGET.parquet]\n")
        return 2
    target = Path(arguments[1]) if len(arguments) == 2 else ORDERS_FILE
    orders = trim_orders(Path(arguments[0]))
    write_orders(orders, target)
    sys.stdout.write(f"{target}: {orders.num_rows:,} rows, {target.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
