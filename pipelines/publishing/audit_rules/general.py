"""Rules of every table: those that the catalogue gives, and that no mart knows the future."""

from __future__ import annotations

import pyarrow as pa

from pipelines.catalog import OUTPUT_TABLES
from pipelines.publishing.audit_rules.rule import Rule

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
