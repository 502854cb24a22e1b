"""A store from a seed, straight in the raw tables, and one dbt build of it as a night runs it, on top of a history."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from benchmarks.recommendations import cpu_seconds
from pipelines.contract import ENTITIES
from pipelines.features.build import build_parts
from pipelines.home import Home
from pipelines.ingest.casts import SQL

META = {"dt": "date", "known_at": "timestamp", "loaded_as_of": "date"}
Rows = Mapping[str, tuple[str, ...]]
"""By entity: a select of its columns, the SQL of when a row happened, and what it is selected from."""


def fill(home: Home, rows: Rows, prepared: Sequence[str], last: date) -> None:
    """Write the raw tables: the last day's rows as loaded by the last night, all before by the night before it.

    prepared: statements that make what the selects read.
    """
    with home.warehouse.session() as session:
        session.execute("create schema raw")
        for statement in prepared:
            session.execute(statement)
        for entity, about in ENTITIES.items():
            columns = {column.name: SQL[column.type] for column in about.columns}
            told = ", ".join(f"{name} {sql}" for name, sql in (columns | META).items())
            session.execute(f"create table raw.{entity} ({told})")
            if entity not in rows:
                continue
            head, happened, tail = rows[entity]
            day = f"cast({happened} as date)"
            meta = f"{day}, cast({day} + 1 as timestamp), greatest({day} + 1, date '{last}' - 1)"
            session.execute(f"insert into raw.{entity} {head}, {meta} from {tail}")
            session.execute(f"delete from raw.{entity} where loaded_as_of > date '{last}'")


def build(
    home: Home, rows: Rows, variables: Mapping[str, Any], command: Sequence[str], newest: date | None
) -> dict[str, Any]:
    """One build as of a night, what later nights load put aside, on top of what the newest night left (None: anew)."""
    _hide(home, rows, variables["as_of"])
    before, begun = cpu_seconds(), time.perf_counter()
    build_parts(home, dict(variables), command, newest)
    spent = {"cpu_seconds": round(cpu_seconds() - before, 1), "wall_seconds": round(time.perf_counter() - begun, 1)}
    _show(home, rows)
    return spent


def _hide(home: Home, rows: Rows, as_of: str) -> None:
    """Put aside what a later night loads, as if it were not there yet."""
    with home.warehouse.session() as session:
        for entity in rows:
            later = f"from raw.{entity} where loaded_as_of > '{as_of}'"
            session.execute(f"create or replace table raw.{entity}_later as {later}")
            session.execute(f"delete {later}")


def _show(home: Home, rows: Rows) -> None:
    with home.warehouse.session() as session:
        for entity in rows:
            session.execute(f"insert into raw.{entity} from raw.{entity}_later")
            session.execute(f"drop table raw.{entity}_later")
