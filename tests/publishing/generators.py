"""A small fabricated night: a snapshot, scores, champions and figures, as the steps before would leave them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from pipelines.catalog import DATASETS, MARTS, OUTPUT_TABLES
from pipelines.home import Home
from pipelines.publishing.manifest import digests_of, write_manifest
from pipelines.publishing.publish import publish
from pipelines.publishing.release import night_release_id, scores_of
from pipelines.records import (
    champions,
    clock,
    decisions,
    model_performance,
    nights,
    promotions,
    quarantine_counts,
    steps,
)
from pipelines.settings import Places, Settings
from pipelines.storage import digest_of
from tests.publishing.events import facts, flags, payments, plan, replies, ticket_products, tickets, trends, triage

Rows = list[dict[str, Any]]
Change = Callable[[dict[str, Rows]], None]
AS_OF = date(2011, 11, 1)
FIRST = date(2011, 10, 1)  # training of the first champions
PRODUCTS = [f"P{number:02d}" for number in range(12)]
CUSTOMERS = [f"C{number:02d}" for number in range(9)]
SHOWN = [product for product in PRODUCTS if product != "P02"]  # which is out of stock
TOP_K, HORIZON, DAYS = 5, 4, 7
VERSIONS = {
    "demand": "xgboost_quantiles-0123456789ab",
    "recommendations": "popular_recent-ba9876543210",
    "risk": "xgboost_risk-00aa11bb22cc",
    "support": "tfidf_linear-cc22bb11aa00",
}
METRICS = {"demand": "wape", "recommendations": "ndcg", "risk": "average_precision", "support": "accuracy"}


def home_in(root: Path, **demand: Any) -> Home:
    """A home with small settings; short lists, so that a customer is served what they have not bought."""
    root.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        recommendations={"top_k": TOP_K},  # type: ignore[arg-type]
        demand={"horizon": HORIZON, **demand},  # type: ignore[arg-type]
        risk={"reviews_per_night": 5},  # type: ignore[arg-type]
        compute={"threads": 1},  # type: ignore[arg-type]
    )
    return Home(Places.from_environment({"NIGHTCART_HOME": str(root)}), settings)


def bought(customer: str) -> list[str]:
    """What a customer bought: every third product."""
    start = CUSTOMERS.index(customer) % 3
    return PRODUCTS[start::3]


def features(as_of: date) -> dict[str, Rows]:
    """The features that the audit reads."""
    return {
        "features_customer_products": [
            {"as_of": as_of, "customer_id": c, "product_id": p, "times": 1, "last_bought_on": as_of - timedelta(days=9)}
            for c in CUSTOMERS
            for p in bought(c)
        ],
        "features_products": [{"as_of": as_of, "product_id": p, "is_active": True, "category": "a"} for p in PRODUCTS],
        "features_demand_products": [{"as_of": as_of, "product_id": p} for p in PRODUCTS[:10]],
        "features_stock": [
            {"as_of": as_of, "product_id": p, "on_hand": 4 * i, "on_order": None if i == 2 else 3}
            for i, p in enumerate(PRODUCTS[2:])
        ],
        "features_payments": payments(as_of),
        "features_tickets": tickets(as_of),
        "features_ticket_replies": replies(),
        "features_ticket_facts": facts(),
        "features_ticket_products": ticket_products(as_of),
    }


def marts(as_of: date) -> dict[str, Rows]:
    """Products, customers and 20 weeks of sales."""
    day = timedelta(days=1)
    return {
        "dim_products": [
            dict.fromkeys(DATASETS["dim_products"].column_names)
            | {"product_id": p, "title": f"<b>{p}</b> MUG", "unit_price": Decimal("2.5"), "is_active": True}
            | {"unit_cost": None if p == "P03" else Decimal("1.2"), "order_multiple": 12 if p < "P08" else None}
            | {"first_sold_on": as_of - 140 * day, "last_sold_on": as_of - day}
            for p in PRODUCTS
        ],
        "dim_customers": [
            dict.fromkeys(DATASETS["dim_customers"].column_names) | {"customer_id": c, "orders": 1} for c in CUSTOMERS
        ],
        "fct_daily_sales": [
            {"product_id": p, "day": as_of - n * day, "units": n % 5 + i, "revenue": Decimal(n), "order_lines": 1}
            for i, p in enumerate(PRODUCTS)
            for n in range(140, 0, -1)
        ],
    }


def outputs(as_of: date) -> dict[str, Rows]:
    """What the champions would say."""
    lists = {c: [p for p in SHOWN if p not in bought(c)][:TOP_K] for c in CUSTOMERS}
    return {
        "recommendations": [
            {"customer_id": c, "rank": i, "product_id": p, "score": 1 / i, "reason": "popular"}
            | {"reason_product_id": None, "arm": "model", "model_version": VERSIONS["recommendations"]}
            for c, products in lists.items()
            for i, p in enumerate(products, 1)
        ],
        "recommendations_default": [
            {"country": None, "channel": None, "rank": i, "product_id": p, "score": 1 / i}
            for i, p in enumerate(SHOWN[:TOP_K], 1)
        ],
        "demand_forecasts": [
            {"product_id": p, "period_start": as_of + (h - 1) * timedelta(days=DAYS), "horizon": h}
            | {"units_mean": 5.0 + i, "units_p10": 2.0 + i, "units_p50": 4.0 + i, "units_p90": 9.0 + 1.5 * i}
            | {"model_version": VERSIONS["demand"]}
            for i, p in enumerate(PRODUCTS[:10])
            for h in range(1, HORIZON + 1)
        ],
        "reorder_plan": plan(PRODUCTS[2:10]),
        "demand_totals": [
            {"level": level, "key": key, "period_start": as_of + (h - 1) * timedelta(days=DAYS), "horizon": h}
            | {"units_mean": 95.0, "units_p10": 60.0, "units_p50": 90.0, "units_p90": 130.0}
            for level, key in (("category", "a"), ("total", "all"))
            for h in range(1, HORIZON + 1)
        ],
        "risk_flags": flags(as_of, VERSIONS["risk"]),
        "ticket_triage": triage(as_of, VERSIONS["support"]),
        "ticket_trends": trends(as_of),
    }


def write_snapshot(home: Home, as_of: date, change: Change = lambda tables: None) -> str:
    """Store a snapshot of the features and marts; sales in two parts, as the real one is by month."""
    tables = features(as_of) | marts(as_of)
    change(tables)
    schemas = {mart.name: mart.schema for mart in MARTS}
    manifest = {}
    for name, rows in tables.items():
        table = pa.Table.from_pylist(rows, schema=schemas.get(name))
        halves = {"1": table.slice(0, len(table) // 2), "2": table.slice(len(table) // 2)}
        parts = halves if name == "fct_daily_sales" else {"all": table}
        manifest[name] = {label: home.storage.put_part(part) for label, part in parts.items()}
    home.storage.put_json(f"snapshots/{digest_of(manifest)}.json", manifest)
    return digest_of(manifest)


def done(home: Home, as_of: date, step: str, result: dict[str, Any], seconds: float = 1.5) -> None:
    """Record a step as ended well."""
    row = {"as_of": as_of, "step": step, "attempt": 1, "status": "done", "started_at": clock(), "result": result}
    same = sa.and_(steps.c.as_of == as_of, steps.c.step == step)
    home.records.replace(steps, [row | {"wall_seconds": seconds, "peak_mib": 210.0}], same)


def crown(home: Home, output: str, version: str | None = None, effective_from: date = FIRST) -> None:
    """Record a champion with its figures and the gate's."""
    version = version or VERSIONS[output]
    model, metric = version.rsplit("-", 1)[0], METRICS[output]
    shared = {"output": output, "reason": f"best on {metric}"}
    champion = shared | {"model": model, "model_version": version, "trained_as_of": effective_from}
    row = champion | {"effective_from": effective_from, "decided_by": "first champion", "decided_at": clock()}
    compared = shared | {"as_of": effective_from, "challenger": model, "against": "baseline", "role": "baseline"}
    compared |= {"segment": "all", "metric": metric, "gain": 0.15, "ci_low": 0.1, "ci_high": 0.2, "is_promoted": True}
    figure = {"output": output, "metric": metric, "segment": "all", "as_of": effective_from, "n": 10}
    figure |= {"labels_mature_until": effective_from, "kind": "offline"}
    best, other = {"value": 0.5, "ci_low": 0.45, "ci_high": 0.55}, {"value": 0.6, "ci_low": 0.56, "ci_high": 0.65}
    with home.records.begin() as connection:
        connection.execute(sa.insert(champions), [row])
        connection.execute(sa.insert(promotions), [compared | {"decided_at": clock()}])
        figures = {"figures": [{name: compared[name] for name in ("against", "segment", "gain")}]}
        decided = {name: value for name, value in (row | compared | figures).items() if name in decisions.c}
        connection.execute(sa.insert(decisions), [decided])
        rows = [{"model": model, "model_version": version} | best, {"model": "naive", "model_version": "naive"} | other]
        connection.execute(sa.insert(model_performance), [figure | row for row in rows])


def begin(home: Home, as_of: date, attempt: int = 1) -> None:
    """Record an attempt at a night."""
    home.records.replace(nights, [{"as_of": as_of, "attempt": attempt, "loaded_at": clock()}], nights.c.as_of == as_of)


def quarantine(home: Home, rows: Rows) -> None:
    """Record rejected rows."""
    defaults = {"entity": "orders", "dt": date(2011, 10, 31), "loaded_as_of": AS_OF, "night": AS_OF}
    home.records.replace(quarantine_counts, [defaults | row for row in rows], sa.true())


def night(
    home: Home,
    as_of: date = AS_OF,
    change: Change = lambda tables: None,
    change_snapshot: Change = lambda tables: None,
    skip: dict[str, str] | None = None,
    unserved: int = 0,
) -> str:
    """Everything before the audit; `change` may break the outputs, `skip` says why outputs or tables are missing."""
    skip = skip or {}
    begin(home, as_of)
    digest = write_snapshot(home, as_of, change_snapshot)
    done(home, as_of, "build_features", {"snapshot": digest}, seconds=12.0)
    release_id, tables = night_release_id(home, as_of), outputs(as_of)
    change(tables)
    for output, version in VERSIONS.items():
        counts = {}
        for dataset in (dataset for dataset in OUTPUT_TABLES if dataset.output == output):
            rows = [] if output in skip or dataset.name in skip else tables[dataset.name]
            home.storage.put_table(
                f"releases/{release_id}/{dataset.name}.parquet", pa.Table.from_pylist(rows, schema=dataset.schema)
            )
            counts[dataset.name] = len(rows)
        result = {"output": output, "release_id": release_id, "tables": counts, "skipped": skip.get(output)}
        result |= {"model_version": version, "unserved": unserved if output == "recommendations" else 0}
        result |= {"skipped_tables": {table: skip[table] for table in counts if table in skip and table != output}}
        done(home, as_of, f"score_{output}", result)
    return release_id


def publish_night(home: Home, as_of: date = AS_OF, **options: Any) -> dict[str, Any]:
    """A whole fabricated night, published."""
    ready_night(home, as_of, **options)
    result = publish(home, as_of)
    done(home, as_of, "publish", result)
    return result


def ready_night(home: Home, as_of: date = AS_OF, **options: Any) -> str:
    """A night up to its audit; the audit is said to have passed, without its seconds."""
    release_id = night(home, as_of, **options)
    digests = digests_of(write_manifest(home, as_of, scores_of(home, as_of)))
    done(home, as_of, "audit", {"release_id": release_id, "digests": digests})
    return release_id
