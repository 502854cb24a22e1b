"""Records of an older version take on what came since."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.record_store import Records
from pipelines.records import clock, decisions, model_performance, steps
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


def test_a_table_that_came_later_is_added(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    with Records(url).begin() as connection:
        decisions.drop(connection)
    assert Records(url).rows(sa.select(decisions)) == []


def test_columns_that_came_later_are_added_in_postgres(database: str) -> None:
    url = Address(database).sqlalchemy
    _without(Records(url, RECORDS), "peak_mib", f"{RECORDS}.")
    _again(Records(url, RECORDS))


def _keyed(kind: str) -> dict[str, object]:
    row = {"output": "demand", "model": "m", "model_version": "m-1", "metric": "wape", "segment": "all", "n": 3}
    return row | {"as_of": ROW["as_of"], "value": 0.5, "labels_mature_until": ROW["as_of"], "kind": kind}


def _with_a_lesser_key(records: Records) -> None:
    """The table as a version before `kind` was of its key has it, with a row."""
    older = sa.MetaData()
    columns = [
        sa.Column(column.name, column.type, primary_key=column.primary_key and column.name != "kind")
        for column in model_performance.columns
    ]
    with records.begin() as connection:
        model_performance.drop(connection)
        older_table = sa.Table("model_performance", older, *columns)
        older_table.create(connection)
        connection.execute(sa.insert(older_table), [_keyed("offline")])


def _takes_both(records: Records) -> None:
    with records.begin() as connection:
        connection.execute(sa.insert(model_performance), [_keyed("realised")])
    assert {row["kind"] for row in records.rows(sa.select(model_performance))} == {"offline", "realised"}


def test_a_key_that_came_later_is_taken_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    _with_a_lesser_key(Records(url))
    _takes_both(Records(url))
    assert len(Records(url).rows(sa.select(model_performance))) == 2


def test_a_key_that_came_later_is_taken_on_in_postgres(database: str) -> None:
    url = Address(database).sqlalchemy
    _with_a_lesser_key(Records(url, RECORDS))
    _takes_both(Records(url, RECORDS))
