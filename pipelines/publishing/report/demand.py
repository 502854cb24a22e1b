"""What the report shows of demand: the forecasts of the products that sell most, and what to reorder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from pipelines.home import Home
from pipelines.publishing.report.query import Files, rows_of, views, why_empty

SHOWN = 10
HISTORY = {"W": 26, "D": 60}  # periods of sales before the forecast
SUMS = """
    select count(*) as products, count(*) filter (order_quantity > 0) as to_order, sum(order_quantity) as units,
        sum(order_quantity * unit_cost)::double as money,
        count(*) filter (order_quantity > 0 and unit_cost is null) as without_cost
    from reorder_plan left join dim_products using (product_id)
"""
URGENT = f"""
    select product_id, coalesce(title, product_id) as title, on_hand, on_order, order_quantity, stockout_probability,
        reason
    from reorder_plan left join dim_products using (product_id)
    where order_quantity > 0
    order by stockout_probability desc, expected_cost desc nulls last, product_id
    limit {SHOWN}
"""


def top_forecasts(home: Home, as_of: date, files: Files) -> list[dict[str, Any]]:
    """The products that will sell most, with their bands and their recent sales by period."""
    if not files["demand_forecasts"]:
        return []
    demand = home.settings.demand
    periods = HISTORY[demand.frequency]
    with views(files, "demand_forecasts", "dim_products", "fct_daily_sales") as connection:
        connection.execute(
            "create table top as select product_id, sum(units_mean) as units from demand_forecasts "
            f"group by product_id order by units desc, product_id limit {SHOWN}"
        )
        products = rows_of(
            connection,
            "select product_id, coalesce(title, product_id) as title "
            "from top left join dim_products using (product_id) order by units desc, product_id",
        )
        bands = rows_of(
            connection,
            "select product_id, period_start, units_mean, units_p10, units_p50, units_p90 from demand_forecasts "
            "semi join top using (product_id) order by horizon",
        )
        since = as_of - timedelta(days=periods * demand.period_days)
        sold = rows_of(
            connection,
            f"select product_id, (date '{as_of}' - 1 - day) // {demand.period_days} as periods_ago, "
            "sum(units)::double as units from fct_daily_sales semi join top using (product_id) "
            f"where day >= date '{since}' and day < date '{as_of}' group by all",
        )
    units = {(row["product_id"], row["periods_ago"]): row["units"] for row in sold}
    return [
        product
        | {
            "bands": [row for row in bands if row["product_id"] == product["product_id"]],
            "sales": [
                {
                    "period_start": as_of - timedelta(days=ago * demand.period_days),
                    "units": units.get((product["product_id"], ago - 1), 0.0),
                }
                for ago in range(periods, 0, -1)
            ],
        }
        for product in products
    ]


def reorder(files: Files, skipped: Mapping[str, str]) -> dict[str, Any]:
    """How much to order and what it costs, and the products that are most likely to run short."""
    if not files["reorder_plan"]:
        return why_empty(skipped, "demand", "reorder_plan")
    with views(files, "reorder_plan", "dim_products") as connection:
        return {"skipped": None, **rows_of(connection, SUMS)[0], "lines": rows_of(connection, URGENT)}
