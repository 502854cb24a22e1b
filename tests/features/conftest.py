"""Homes with a small store in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from pipelines.contract import ENTITIES, META, Type
from pipelines.features.build import build_features
from pipelines.home import Home
from pipelines.records import clock, nights, steps
from pipelines.settings import Places, Settings
from pipelines.warehouse import Session
from tests.features.store import Row, Store

TYPES = {
    Type.ID: (pa.string(), "varchar"),
    Type.TEXT: (pa.string(), "varchar"),
    Type.TS: (pa.timestamp("us"), "timestamp"),
    Type.DATE: (pa.date32(), "date"),
    Type.N: (pa.int64(), "bigint"),
    Type.MONEY: (pa.decimal128(18, 4), "decimal(18, 4)"),
    Type.FLAG: (pa.bool_(), "boolean"),
}
META_TYPES = {
    META.dt: (pa.date32(), "date"),
    META.known_at: (pa.timestamp("us"), "timestamp"),
    META.loaded_as_of: (pa.date32(), "date"),
}


def new_home(folder: Path, frequency: str = "W", horizon: int = 3) -> Home:
    """An empty home with its raw tables."""
    folder.mkdir(parents=True, exist_ok=True)
    places = Places.from_environment({"NIGHTCART_HOME": str(folder)})
    home = Home(places, Settings(demand={"frequency": frequency, "horizon": horizon}, compute={"threads": 2}))
    with home.warehouse.session() as session:
        session.execute("create schema raw")
        for entity in ENTITIES:
            columns = ", ".join(f"{name} {sql}" for name, (_, sql) in columns_of(entity).items())
            session.execute(f"create table raw.{entity} ({columns})")
    return home


def columns_of(entity: str) -> dict[str, tuple[pa.DataType, str]]:
    """The raw table's columns with their Arrow and SQL types."""
    return {column.name: TYPES[column.type] for column in ENTITIES[entity].columns} | META_TYPES


def load(home: Home, rows: dict[str, list[Row]], as_of: date) -> None:
    """Append versions to the raw tables, and record that the night has loaded."""
    with home.warehouse.session() as session:
        for entity, versions in rows.items():
            _append(session, home.root / f"{entity}.parquet", entity, versions)
    home.records.replace(nights, [{"as_of": as_of, "attempt": 1, "loaded_at": clock()}], nights.c.as_of == as_of)


def _append(session: Session, file: Path, entity: str, versions: Sequence[Row]) -> None:
    columns = columns_of(entity)
    arrays = {name: pa.array([row.get(name) for row in versions], arrow) for name, (arrow, _) in columns.items()}
    pq.write_table(pa.table(arrays), file)
    session.execute(f"insert into raw.{entity} select * from read_parquet(?)", [str(file)])


def build(home: Home, as_of: date) -> dict[str, Any]:
    """Build a night's features, and record the step as the night does."""
    result = build_features(home, as_of)
    step = {"as_of": as_of, "step": "build_features", "attempt": 1, "status": "done", "started_at": clock()}
    home.records.replace(
        steps, [step | {"result": result}], (steps.c.as_of == as_of) & (steps.c.step == "build_features")
    )
    return result


def built_at(home: Home, as_of: date) -> Any:
    """When the records say that a night was built."""
    return (home.records.first(sa.select(nights.c.built_at).where(nights.c.as_of == as_of)) or {}).get("built_at")


def run_nights(home: Home, store: Store, days: Sequence[date]) -> dict[date, dict[str, Any]]:
    """Load and build several nights, one after the other."""
    results = {}
    for day in days:
        load(home, store.loaded_by(day), day)
        results[day] = build(home, day)
    return results


def aggregates(home: Home) -> dict[str, Any]:
    """What the incremental tables hold."""
    tables = ("int_order_lines_changes", "int_product_days", "int_customer_product_days", "int_empty_shelf_days")
    with home.warehouse.session() as session:
        return {
            name: session.read(f"select count(*) as n, sum(hash(t)) as h from intermediate.{name} as t").to_pylist()
            for name in tables
        }


@pytest.fixture(autouse=True)
def _quiet_dbt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A developer's own dbt variables stay outside."""
    monkeypatch.delenv("NIGHTCART_DBT_VARS", raising=False)
    yield
