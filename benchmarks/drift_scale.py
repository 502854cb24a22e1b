"""What a night's histograms cost at a given number of customers: seconds, memory, and bytes in the records."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.drift_store import FIRST, Store, next_night, products
from benchmarks.recommendations import cpu_seconds, peak_mib
from pipelines.home import Home
from pipelines.monitoring.drift import judge_night
from pipelines.monitoring.drift_night import histograms_of
from pipelines.monitoring.histograms import DAY, NIGHTS, count_scored, write_input_histograms
from pipelines.monitoring.watched import PREDICTIONS
from pipelines.records import Row, feature_histograms
from pipelines.warehouse import Session

ORDERS_PER_CUSTOMER = 1 / 30  # a night
LISTED = 20  # products for each customer


def night_of(home: Home, folder: Path, customers: int) -> dict[str, Any]:
    """The costs of a first night, which counts those before it too, and of the night after it."""
    last = FIRST + (NIGHTS + 1) * DAY
    with home.warehouse.session() as session:
        rows = _history(session, folder, customers)
        first = _timed(lambda: write_input_histograms(home, session, last - DAY))
        before = _size(home)
        ordinary = _timed(lambda: write_input_histograms(home, session, last))
        files = _scored(session, folder, customers)
    predicted: list[Row] = []
    scored = _timed(
        lambda: predicted.extend(
            row for watched in PREDICTIONS for row in count_scored(watched, [files[watched.table]], last, "model")
        )
    )
    kept = feature_histograms.c
    home.records.replace(feature_histograms, predicted, kept.feature == "")
    judged = _timed(lambda: judge_night(histograms_of(home, last), last))
    return {
        "customers": customers,
        "rows_of_a_night": rows,
        "scored_rows": {table: pq.read_metadata(file).num_rows for table, file in files.items()},
        "first_night": first,
        "inputs": ordinary,
        "predictions": scored,
        "judging": judged,
        "bytes_in_the_records_a_night": _size(home) - before,
        "histograms_a_night": len(home.records.rows(feature_histograms.select().where(kept.as_of == last))),
        "peak_mib": round(peak_mib(), 1),
    }


def _history(session: Session, folder: Path, customers: int) -> dict[str, int]:
    """One night's rows, known on each of the nights that a night is judged by, and on one more."""
    store = Store(round(customers * ORDERS_PER_CUSTOMER), np.random.default_rng(7))
    night = next_night(store)
    for schema in ("staging", "intermediate", "marts"):
        session.execute(f"create schema if not exists {schema}")
    file = folder / "products.parquet"
    products(store, NIGHTS).to_parquet(file)
    session.execute(f"create table marts.dim_products as select * from {session.parquet(file)}")
    found = {}
    for name in (name for name in night if "." in name):
        night[name].to_parquet(file := folder / f"{name}.parquet")
        types = {column: "timestamp" for column in night[name] if column.endswith("_at")}
        types |= {column: "date" for column in night[name] if column in ("day", "as_of_date")}
        moved = ", ".join(f"cast({column} + to_days(i::int) as {sql}) as {column}" for column, sql in types.items())
        session.execute(
            f"create table {name} as select rows.* replace ({moved}) from {session.parquet(file)} as rows, "
            f"range({NIGHTS + 1}) as days(i)"
        )
        found[name] = len(night[name])
    return found


def _scored(session: Session, folder: Path, customers: int) -> dict[str, Path]:
    """Scored tables as large as the store."""
    queries = {
        "recommendations": "select case hash(i) % 4 when 0 then 'popular' when 1 then 'buy_again' "
        f"else 'like_recent' end as reason, exp(-(i % {LISTED}) / 9.0) as score "
        f"from range({LISTED * customers}) as numbers(i)",
        "demand_forecasts": "select 1 + i % 8 as horizon, exp((hash(i) % 1000) / 150.0) as units_mean "
        "from range(800000) as numbers(i)",
        "reorder_plan": "select hash(i) % 60 as order_quantity, 'low' as reason from range(100000) as numbers(i)",
        "risk_flags": "select exp((hash(i) % 1000) / -100.0) as fraud_probability, 'accept' as decision "
        f"from range({round(customers * ORDERS_PER_CUSTOMER)}) as numbers(i)",
        "ticket_triage": "select (hash(i) % 100) / 100.0 as intent_probability, 'intent ' || hash(i) % 27 as intent, "
        f"'normal' as urgency, true as needs_human from range({customers // 50}) as numbers(i)",
    }
    for table, sql in queries.items():
        session.execute(f"copy ({sql}) to '{folder / table}.parquet'")
    return {table: folder / f"{table}.parquet" for table in queries}


def _timed(work: Any) -> dict[str, float]:
    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return {"seconds": round(time.perf_counter() - wall, 2), "cpu_seconds": round(cpu_seconds() - cpu, 2)}


def _size(home: Home) -> int:
    """Bytes of the records' file."""
    return sum(file.stat().st_size for file in home.root.glob("records.sqlite*"))
