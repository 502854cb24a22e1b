"""Records of an older version take on what came since."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.record_store import Records
from pipelines.records import clock, steps
from pipelines.warehouse.address import RECORDS, Address
from tests.warehouse.postgres_server import database, postgres_server

__all__ = ["database", "postgres_server"]

ROW = {"as_of": date(2026, 11, 30), "step": "load", "attempt": 1, "status": "done", "started_at": clock()}


def _without(records: Records, column: str, schema: str = "") -> None:
    """The table as a version before the column has it, with a row."""
    records.replace(steps, [ROW], sa.true())
    with records.begin() as connection:
        connection.execute(sa.text(f"alter table {schema}steps drop column {column}"))


def _again(records: Records) -> None:
    assert records.rows(sa.select(steps)) == [dict.fromkeys(steps.c.keys()) | ROW]
    records.replace(steps, [ROW | {"peak_mib": 12.5, "result": {"rows": 1}}], sa.true())
    assert records.rows(sa.select(steps.c.peak_mib, steps.c.result)) == [{"peak_mib": 12.5, "result": {"rows": 1}}]


@pytest.mark.parametrize("column", ["peak_mib", "result"])
def test_columns_that_came_later_are_added(tmp_path: Path, column: str) -> None:
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    _without(Records(url), column)
    _again(Records(url))


def test_columns_that_came_later_are_added_in_postgres(database: str) -> None:
    url = Address(database).sqlalchemy
    _without(Records(url, RECORDS), "peak_mib", f"{RECORDS}.")
    _again(Records(url, RECORDS))
