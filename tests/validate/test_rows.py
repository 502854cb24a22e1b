"""Duplicate keys within a partition, and what of the rows is loaded."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from pipelines.contract import ENTITIES
from pipelines.home import Home
from pipelines.ingest.collect import collect
from pipelines.ingest.engine import Engine, open_engine
from pipelines.ingest.manifest import need_manifest
from pipelines.validate.expectations import BAD
from pipelines.validate.rows import Rows
from tests.landing import DAY, Landing, at, line, product

DT = date(2011, 10, 3)


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    with open_engine(home) as opened:
        yield opened


def judged(home: Home, engine: Engine, entity: str, failed: pa.Table | None = None) -> Rows:
    collect(home, DT + 3 * DAY)
    rows = Rows(engine, ENTITIES[entity])
    rows.open(home.storage, need_manifest(home.storage, DT + 3 * DAY).of(entity))
    rows.judge(BAD.empty_table() if failed is None else failed)
    return rows


def accepted(rows: Rows) -> list[dict[str, Any]]:
    return rows.engine.table(rows.accepted_sql()).to_pylist()


def test_identical_repeats_collapse(home: Home, landing: Landing, engine: Engine) -> None:
    landing.write("order_lines", DT, [line("1"), line("1"), line("2")])
    rows = judged(home, engine, "order_lines")
    assert [row["order_id"] for row in accepted(rows)] == ["1", "2"]
    assert (rows.counts(), rows.repeats()) == ([], {"kept": 1, "collapsed": 1})


def test_of_conflicting_rows_the_last_updated_stays(home: Home, landing: Landing, engine: Engine) -> None:
    first, last = product("p1", DT, title="old"), product("p1", DT, title="new", updated_at=at(DT, 13))
    landing.write("products", DT, [last, first, last])
    rows = judged(home, engine, "products")
    assert [row["title"] for row in accepted(rows)] == ["new"]
    assert (rows.counts(), rows.repeats()) == ([], {"kept": 1, "dropped": 1, "collapsed": 1})


def test_without_a_last_one_all_go_to_quarantine(home: Home, landing: Landing, engine: Engine) -> None:
    landing.write("order_lines", DT, [line("1", quantity=1), line("1", quantity=2), line("2")])
    landing.write("products", DT, [product("p1", DT, title=title) for title in ("a", "b")])
    rows = judged(home, engine, "order_lines")
    assert [row["order_id"] for row in accepted(rows)] == ["2"]
    (count,) = rows.counts()
    assert (count["dt"], count["rule"], count["rows"]) == (DT, "unique(order_id, line_number)", 2)
    assert count["samples"] == ["the key 1 1 has rows that differ"]
    rows = judged(home, engine, "products")
    assert accepted(rows) == []
    assert [count["rows"] for count in rows.counts()] == [2]


def test_the_same_key_in_two_partitions_is_two_versions(home: Home, landing: Landing, engine: Engine) -> None:
    for dt in (DT, DT + DAY):
        landing.write("order_lines", dt, [line("1", quantity=dt.day)])
    rows = judged(home, engine, "order_lines")
    assert [(row["dt"], row["quantity"]) for row in accepted(rows)] == [(DT, 3), (DT + DAY, 4)]


def test_a_row_that_broke_a_rule_is_no_rival(home: Home, landing: Landing, engine: Engine) -> None:
    landing.write("order_lines", DT, [line("1", quantity=-1), line("1", quantity=2)])
    reasons = ["no", "quantity is -1, expected more than 0"]
    failed = pa.table([[0, 0], [2, 1], ["second", "first"], reasons], schema=BAD)
    rows = judged(home, engine, "order_lines", failed)
    assert [row["quantity"] for row in accepted(rows)] == [2]
    (count,) = rows.counts()
    assert count == {"dt": DT, "rule": "first", "expected": "more than 0", "rows": 1, "samples": ["quantity is -1"]}
    (row,) = rows.engine.table(rows.quarantine_sql()).to_pylist()
    assert (row["quantity"], row["dt"], row["_rule"], row["_reason"]) == (-1, DT, "first", reasons[1])
