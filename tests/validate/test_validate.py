"""Validate as a step: what stops a night, what can be accepted, and what a retry or another night finds."""

import gc
import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from pipelines.contract import ENTITIES, ORDER_LINES
from pipelines.errors import IncomingFault, UsageFault
from pipelines.home import Home
from pipelines.ingest.collect import collect
from pipelines.ingest.load import load
from pipelines.records import acceptances, partitions, quarantine_counts
from pipelines.validate import expectations, validate
from pipelines.validate.faults import Fault, stop
from pipelines.validate.quarantine import accept, quarantine_rows
from pipelines.validate.suites import suite_of
from pipelines.validate.validate import validate_incoming
from tests.landing import DAY, Landing, line, order, raw, run_steps

FIRST = date(2011, 10, 3)
DT = FIRST + DAY
NIGHT = DT + DAY


@pytest.fixture
def store(landing: Landing) -> Landing:
    """A history partition and a day after it."""
    landing.write_store(FIRST, 2)
    return landing


def stopped(home: Home, as_of: date = NIGHT) -> IncomingFault:
    with pytest.raises(IncomingFault) as fault:
        run_steps(home, as_of)
    return fault.value


def test_nineteen_rows_never_stop_by_their_share(home: Home, store: Landing) -> None:
    store.write("order_lines", DT, [line(str(n), quantity=0) for n in range(19)])
    assert run_steps(home, NIGHT)["validate_incoming"]["quarantined"] == {"order_lines": 19}


def test_orders_that_are_too_old(home: Home, store: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTCART__VALIDATE__MAX_AGE_DAYS", "2")
    fault = stopped(Home.open(), NIGHT + 5 * DAY)
    assert f"- orders: max_age_days: the newest partition with rows is {DT}, 6 days old" in str(fault)
    assert "nightcart accept" not in fault.hint


def test_an_empty_landing_zone_names_what_is_required(home: Home, landing: Landing) -> None:
    said = str(stopped(home))
    assert all(f"- {entity}: delivered" in said for entity in ("customers", "products", "orders", "order_lines"))


def test_data_docs_are_built_and_hold_nothing_personal(home: Home, store: Landing, data_docs: None) -> None:
    result = run_steps(home, NIGHT)["validate_incoming"]
    site = Path(result["docs"]).parent
    assert site == home.root / "data_docs" / str(NIGHT)
    pages = "".join(file.read_text("utf-8") for file in site.rglob("*.html"))
    assert "quantity" in pages
    assert "shop.example" not in pages
    assert "email" not in pages


def test_a_night_without_anything_new_passes(home: Home, store: Landing) -> None:
    run_steps(home, NIGHT)
    result = run_steps(home, NIGHT + DAY)
    assert result["validate_incoming"]["docs"] is None
    assert result["load"]["rows"] == dict.fromkeys(ENTITIES, 0)


def test_a_night_that_did_not_collect_leaves_all_as_it_was(home: Home, store: Landing) -> None:
    store.write("order_lines", DT, [line("1", quantity=-3), line("2")])
    run_steps(home, NIGHT)
    before = (raw(home, "orders"), home.records.rows(sa.select(partitions)), quarantine_rows(home))
    results = run_steps(home, NIGHT - DAY)
    assert "newer night" in results["validate_incoming"]["why"]
    assert results["load"]["why"] == results["collect"]["why"]
    assert (raw(home, "orders"), home.records.rows(sa.select(partitions)), quarantine_rows(home)) == before
    assert home.records.newest_loaded_night() == NIGHT


def test_nothing_is_accepted_without_a_reason_or_a_stop(home: Home, store: Landing) -> None:
    with pytest.raises(UsageFault, match="needs a reason"):
        accept(home, "orders", DT, " ")
    with pytest.raises(UsageFault, match="nothing of orders 2011-10-04 waits") as refused:
        accept(home, "orders", DT, "why not")
    assert refused.value.hint == "no partition stopped the last night"


def test_validate_again_gives_the_same(home: Home, store: Landing) -> None:
    store.write("orders", DT, [order("1", DT), order("2", DT, status="lost")])
    results = run_steps(home, NIGHT)
    assert validate_incoming(home, NIGHT) == results["validate_incoming"]
    assert load(home, NIGHT) == results["load"]


def test_a_share_of_bad_rows_stops_and_can_be_accepted(home: Home, store: Landing) -> None:
    lines = [line(str(n), quantity=-n if n < 4 else n) for n in range(1, 21)]
    store.write("order_lines", DT, lines)
    fault = stopped(home)
    assert str(fault).endswith(
        f"- order_lines {DT}: above_0(quantity): 3 rows (15.0%), such as quantity is -1; quantity is -2; "
        "quantity is -3; expected more than 0 (3 of its 20 rows are bad, at most 5.0% may be)"
    )
    assert "nightcart accept order_lines" in fault.hint
    assert quarantine_rows(home).num_rows == 3
    assert home.records.rows(sa.select(quarantine_counts)) == []
    accept(home, "order_lines", DT, "returns typed as sales")
    accept(home, "order_lines", DT, "returns typed as sales, seen by Ada")
    assert [row["reason"] for row in home.records.rows(sa.select(acceptances))] == [
        "returns typed as sales, seen by Ada"
    ]
    assert run_steps(home, NIGHT)["load"]["rows"]["order_lines"] == 5 + 17
    assert quarantine_rows(home).num_rows == 3


def test_null_where_a_value_must_be_and_a_status_that_is_not_allowed(home: Home, store: Landing) -> None:
    store.write("orders", DT, [order("1", DT, currency=None), order("2", DT, status="lost"), order("3", DT)])
    run_steps(home, NIGHT)
    assert quarantine_rows(home).select(["rule", "reason"]).to_pylist() == [
        {"rule": "not_null(currency)", "reason": "currency is null, expected a value"},
        {
            "rule": "allowed(status)",
            "reason": "status is 'lost', expected one of placed, paid, shipped, delivered, cancelled",
        },
    ]


def test_rows_are_checked_in_chunks(home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "CHUNK", 4)
    landing.write_store(FIRST, 1)
    lines = [line(str(number), quantity=-number if number in (2, 5, 9) else number) for number in range(1, 11)]
    landing.write("order_lines", FIRST, lines)
    collect(home, NIGHT)
    result = validate_incoming(home, NIGHT)
    assert (result["accepted"]["order_lines"], result["quarantined"]) == (7, {"order_lines": 3})
    load(home, NIGHT)
    assert sorted(int(row["order_id"]) for row in raw(home, "order_lines")) == [1, 3, 4, 6, 7, 8, 10]


def test_no_chunk_is_kept_until_the_last_is_checked(
    home: Home, store: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    def count(_: expectations.Runs) -> None:
        gc.collect()
        frames = [one for one in gc.get_objects() if isinstance(one, pd.DataFrame)]
        kept.append(sum(expectations.ROW in frame.columns for frame in frames))

    monkeypatch.setattr(expectations.Runs, "publish", count)
    collect(home, NIGHT)
    validate_incoming(home, NIGHT)
    assert kept == [0]


def test_an_expectation_added_by_hand_that_names_no_row_stops(
    home: Home, store: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    mean: dict[str, Any] = {
        "type": "expect_column_mean_to_be_between",
        "kwargs": {"column": "quantity", "max_value": 1},
        "meta": {"rule": "mean(quantity)", "column": "quantity", "expected": "1 at most"},
    }
    suite = json.loads(json.dumps(suite_of(ORDER_LINES, [mean])))
    read = expectations.read_suite
    monkeypatch.setattr(expectations, "read_suite", lambda name: suite if name == "order_lines" else read(name))
    fault = stopped(home)
    assert "- order_lines: mean(quantity): found 2.0, expected 1 at most" in str(fault)


def test_of_many_faults_ten_are_shown() -> None:
    faults = [Fault("orders", FIRST + day * DAY, "readable", "x.csv has no bytes") for day in range(12)]
    said = str(stop(NIGHT, faults))
    assert "has 12 faults" in said
    assert said.endswith("- and 2 more")
