"""What the report shows of a night, gathered from the records and the release's own files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.home import Home
from pipelines.monitoring.monitor import champion_figures, volumes
from pipelines.publishing.manifest import RELEASE_TABLES, Manifest, rows_of
from pipelines.records import Row, quarantine_counts, releases, steps

PRODUCTS_SHOWN = 10
HISTORY = {"W": 26, "D": 60}  # periods of sales before the forecast


def release_row(home: Home, as_of: date) -> Row | None:
    """The release that was published last for a night."""
    query = sa.select(releases).where(releases.c.as_of == as_of).order_by(releases.c.published_at.desc())
    return home.records.first(query)


def models(home: Home, as_of: date, skipped: dict[str, str]) -> list[dict[str, Any]]:
    """Each output's champion with its figures and the gate's words, or why it is skipped."""
    watched = home.records.result(as_of, "monitor").get("models") or {}
    return [_model(home, output, as_of, watched, skipped.get(output)) for output in OUTPUTS]


def _model(home: Home, output: str, as_of: date, watched: Row, skipped: str | None) -> dict[str, Any]:
    from pipelines.scoring.outputs import output_of

    spec, found = output_of(output), watched.get(output) or champion_figures(home, output, as_of)
    figures = [row for row in found["figures"] if row["segment"] == "all"] if found else []
    gains = [row for row in found["gate"] if row["role"] == "baseline" and row["gain"] is not None] if found else []
    return {
        "output": output,
        "skipped": skipped,
        "champion": found,
        "metric": spec.metric,
        "label": spec.label(home, spec.metric),
        "higher_is_better": spec.higher_is_better,
        "main": [row for row in figures if row["metric"] == spec.metric],
        "others": _by_metric([row for row in figures if row["metric"] != spec.metric]),
        "gate": gains[0] if gains else None,
    }


def _by_metric(figures: Sequence[Row]) -> dict[str, dict[str, float | None]]:
    """The value of each model by metric."""
    table: dict[str, dict[str, float | None]] = {}
    for row in figures:
        table.setdefault(row["metric"], {})[row["model"]] = row["value"]
    return table


def tables(home: Home, as_of: date, manifest: Manifest) -> list[dict[str, Any]]:
    """Each published table with its rows now and in the release before."""
    watched = home.records.result(as_of, "monitor").get("volumes") or volumes(home, as_of)
    before = {row["table"]: row["last_rows"] for row in watched}
    rows = rows_of(manifest)
    return [
        {"name": table.name, "rows": rows[table.name], "before": before.get(table.name)} for table in RELEASE_TABLES
    ]


def step_times(home: Home, as_of: date) -> list[Row]:
    """Seconds and memory of each step that has ended, in the order of a night."""
    from pipelines.steps import STEPS

    query = sa.select(steps).where(steps.c.as_of == as_of, steps.c.wall_seconds.is_not(None))
    found = {row["step"]: row for row in home.records.rows(query)}
    return [found[step] for step in STEPS if step in found]


def quarantine(home: Home, as_of: date) -> list[Row]:
    """Rows kept out by entity and rule: those of this night and those of all nights up to it."""
    table = quarantine_counts.c
    tonight = sa.func.sum(sa.case((table.night == as_of, table.rows), else_=0)).label("tonight")
    in_all = sa.func.sum(table.rows).label("in_all")
    query = sa.select(table.entity, table.rule, tonight, in_all).where(table.night <= as_of)
    return home.records.rows(query.group_by(table.entity, table.rule).order_by(tonight.desc(), in_all.desc()))


def top_forecasts(home: Home, as_of: date, files: dict[str, list[Path]]) -> list[dict[str, Any]]:
    """The products that will sell most, with their bands and their recent sales by period."""
    if not files["demand_forecasts"]:
        return []
    demand = home.settings.demand
    periods = HISTORY[demand.frequency]
    with _views(files, "demand_forecasts", "dim_products", "fct_daily_sales") as connection:
        connection.execute(
            "create table top as select product_id, sum(units_mean) as units from demand_forecasts "
            f"group by product_id order by units desc, product_id limit {PRODUCTS_SHOWN}"
        )
        products = _rows(
            connection,
            "select product_id, coalesce(title, product_id) as title "
            "from top left join dim_products using (product_id) order by units desc, product_id",
        )
        bands = _rows(
            connection,
            "select product_id, period_start, units_mean, units_p10, units_p50, units_p90 from demand_forecasts "
            "semi join top using (product_id) order by horizon",
        )
        since = as_of - timedelta(days=periods * demand.period_days)
        sold = _rows(
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


def most_recommended(files: dict[str, list[Path]]) -> list[dict[str, Any]]:
    """The products that most customers will be shown, with their mean rank."""
    if not files["recommendations"]:
        return []
    with _views(files, "recommendations", "dim_products") as connection:
        return _rows(
            connection,
            "select product_id, coalesce(any_value(title), product_id) as title, count(*) as customers, "
            "avg(rank) as mean_rank from recommendations left join dim_products using (product_id) "
            f"group by product_id order by customers desc, mean_rank, product_id limit {PRODUCTS_SHOWN}",
        )


def totals(files: dict[str, list[Path]]) -> dict[str, float | None]:
    """The night in four figures; null where an output was skipped."""
    found: dict[str, float | None] = {"customers": None, "products": None, "units": None}
    if files["recommendations"]:
        with _views(files, "recommendations") as connection:
            found |= _rows(connection, "select count(distinct customer_id) as customers from recommendations")[0]
    if files["demand_forecasts"]:
        sql = "select count(*) as products, sum(units_mean) as units from demand_forecasts where horizon = 1"
        with _views(files, "demand_forecasts") as connection:
            found |= _rows(connection, sql)[0]
    return found


def _views(files: dict[str, list[Path]], *names: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    for name in names:
        connection.read_parquet([str(file) for file in files[name]]).create_view(name)
    return connection


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    found = connection.sql(sql)
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
