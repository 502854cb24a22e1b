"""The audit's rules that need more than one row: SQL over the release's files, each naming the rows that break it.

Views: the output tables, the marts and the features of tonight, under their own names.
Variables: as_of, horizon, period_days, exclude_bought, unserved.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from pipelines.catalog import OUTPUT_TABLES


@dataclass(frozen=True)
class Rule:
    """One rule: the table it is about, the output it belongs to (none: the marts) and the rows that break it."""

    name: str
    table: str
    output: str | None
    sql: str


FEATURES_READ = ("features_customer_products", "features_products", "features_demand_products")

RECOMMENDATIONS = (
    Rule(
        "every customer with a known order line is served or counted as unserved",
        "recommendations",
        "recommendations",
        """
        with missing as (
            select customer_id from features_customer_products where customer_id is not null
            except
            select customer_id from recommendations
        )
        select count(*) as without_rows, getvariable('unserved') as counted, list(customer_id)[1:3] as for_example
        from missing
        having count(*) <> getvariable('unserved')
        """,
    ),
    Rule(
        "a customer without a row has nothing left to be shown",
        "recommendations",
        "recommendations",
        """
        with missing as (
            select distinct customer_id from features_customer_products
            where customer_id is not null and customer_id not in (select customer_id from recommendations)
        ),
        left_over as (
            select customer_id, product_id
            from missing cross join (select distinct product_id from recommendations_default)
            except
            select customer_id, product_id from features_customer_products where getvariable('exclude_bought')
        )
        select customer_id, count(*) as could_be_shown from left_over group by customer_id
        """,
    ),
    Rule(
        "only customers with a known order line are served",
        "recommendations",
        "recommendations",
        "select customer_id, rank from recommendations anti join features_customer_products using (customer_id)",
    ),
    Rule(
        "ranks run from 1 without a gap",
        "recommendations",
        "recommendations",
        """
        select customer_id, count(*) as rows, max(rank) as last_rank from recommendations
        group by customer_id having min(rank) <> 1 or max(rank) <> count(*)
        """,
    ),
    Rule(
        "no product twice for a customer",
        "recommendations",
        "recommendations",
        "select customer_id, product_id from recommendations group by all having count(*) > 1",
    ),
    Rule(
        "recommended products are known and active",
        "recommendations",
        "recommendations",
        """
        select customer_id, rank, product_id from recommendations
        anti join (select product_id from features_products where is_active) using (product_id)
        """,
    ),
    Rule(
        "what a customer bought is not recommended (recommendations.exclude_bought)",
        "recommendations",
        "recommendations",
        """
        select customer_id, rank, product_id from recommendations
        semi join features_customer_products using (customer_id, product_id)
        where getvariable('exclude_bought')
        """,
    ),
    Rule(
        "a reason's product is one that the customer bought",
        "recommendations",
        "recommendations",
        """
        select recommendations.customer_id, rank, reason_product_id from recommendations
        anti join features_customer_products
            on recommendations.customer_id = features_customer_products.customer_id
            and recommendations.reason_product_id = features_customer_products.product_id
        where reason_product_id is not null
        """,
    ),
    Rule(
        "recommended products are known and active",
        "recommendations_default",
        "recommendations",
        """
        select country, channel, rank, product_id from recommendations_default
        anti join (select product_id from features_products where is_active) using (product_id)
        """,
    ),
    Rule(
        "ranks run from 1 without a gap",
        "recommendations_default",
        "recommendations",
        """
        select country, channel, count(*) as rows, max(rank) as last_rank from recommendations_default
        group by country, channel having min(rank) <> 1 or max(rank) <> count(*)
        """,
    ),
)
DEMAND = (
    Rule(
        "every product of features_demand_products has every period",
        "demand_forecasts",
        "demand",
        """
        select product_id, horizon from features_demand_products, range(1, getvariable('horizon') + 1) t(horizon)
        except
        select product_id, horizon from demand_forecasts
        """,
    ),
    Rule(
        "only products of features_demand_products are forecast",
        "demand_forecasts",
        "demand",
        "select product_id, horizon from demand_forecasts anti join features_demand_products using (product_id)",
    ),
    Rule(
        "period h starts h - 1 periods after as_of",
        "demand_forecasts",
        "demand",
        """
        select product_id, horizon, period_start from demand_forecasts
        where period_start <> getvariable('as_of') + ((horizon - 1) * getvariable('period_days'))::integer
        """,
    ),
)
MARTS = tuple(
    Rule(
        "nothing from the future",
        table,
        None,
        f"select {key}, {column} from {table} where {column} >= getvariable('as_of')",
    )
    for table, key, column in (
        ("fct_daily_sales", "product_id", "day"),
        ("dim_products", "product_id", "first_sold_on"),
        ("dim_products", "product_id", "last_sold_on"),
        ("dim_customers", "customer_id", "first_ordered_on"),
        ("dim_customers", "customer_id", "last_ordered_on"),
    )
)


def generated_rules() -> tuple[Rule, ...]:
    """What the catalogue says: one row a key, and no infinite or undefined figure."""
    rules = []
    for dataset in OUTPUT_TABLES:
        key = ", ".join(f'"{column}"' for column in dataset.key)
        duplicates = f"select {key}, count(*) as rows from {dataset.name} group by {key} having count(*) > 1"
        rules.append(Rule(f"one row for each {dataset.grain}", dataset.name, dataset.output, duplicates))
        floats = [name for name, kind in dataset.columns if kind == pa.float64()]
        broken = " or ".join(f"not isfinite({name})" for name in floats)
        infinite = f"select {key}, {', '.join(floats)} from {dataset.name} where {broken}"
        rules.append(Rule("figures are finite numbers", dataset.name, dataset.output, infinite))
    return tuple(rules)


RULES: tuple[Rule, ...] = generated_rules() + RECOMMENDATIONS + DEMAND + MARTS
