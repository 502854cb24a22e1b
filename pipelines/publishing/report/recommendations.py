"""What the report shows of the recommendations."""

from __future__ import annotations

from typing import Any

from pipelines.publishing.report.query import Files, rows_of, views

SHOWN = 10


def most_recommended(files: Files) -> list[dict[str, Any]]:
    """The products that most customers will be shown, with their mean rank."""
    if not files["recommendations"]:
        return []
    with views(files, "recommendations", "dim_products") as connection:
        return rows_of(
            connection,
            "select product_id, coalesce(any_value(title), product_id) as title, count(*) as customers, "
            "avg(rank) as mean_rank from recommendations left join dim_products using (product_id) "
            f"group by product_id order by customers desc, mean_rank, product_id limit {SHOWN}",
        )
