"""The build: a retry changes nothing, training leaves the nights' tables alone, a failure says what failed."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from pipelines.errors import NightcartError, StorageFault, UsageFault
from pipelines.features import snapshot as snapshot_module
from pipelines.features.build import build_features, build_training_features, known_after
from pipelines.features.dbt import run_dbt
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.records import steps
from pipelines.storage import digest_of
from tests.features.conftest import aggregates, build, built_at, load, new_home, run_nights
from tests.features.store import NIGHTS, Store

FIRST, SECOND, THIRD = NIGHTS[:3]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Store, dict[date, dict[str, Any]]]:
    """A home with two nights."""
    store, home = Store(3), new_home(tmp_path_factory.mktemp("built"))
    return home, store, run_nights(home, store, (FIRST, SECOND))


def test_other_processes_can_open_the_warehouse_afterwards(built: Any) -> None:
    home, _, _ = built
    script = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create or replace table raw.t as select 1 as i')"
    subprocess.run([sys.executable, "-c", script, home.places.warehouse], check=True)


def test_a_retry_gives_the_same_and_reads_only_months_with_news(built: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    home, _, results = built
    before, written = aggregates(home), []
    put = snapshot_module._put
    monkeypatch.setattr(snapshot_module, "_put", lambda *args: written.append(args[2].name) or put(*args))
    assert known_after(home, SECOND) == FIRST
    assert build(home, SECOND)["snapshot"] == results[SECOND]["snapshot"]
    assert aggregates(home) == before
    months = Snapshot(home.storage, results[SECOND]["snapshot"]).parts["fct_daily_sales"]
    assert 0 < written.count("fct_daily_sales") < len(months) / 2


def test_an_older_night_appends_nothing(built: Any) -> None:
    home, _, results = built
    before = aggregates(home)
    assert known_after(home, FIRST) == SECOND
    assert build(home, FIRST)["snapshot"] == results[FIRST]["snapshot"]
    assert aggregates(home) == before


def test_other_sql_does_not_build_upon_what_the_old_one_wrote(built: Any) -> None:
    home, _, results = built
    before = aggregates(home)
    with home.warehouse.session() as session:
        session.execute(f"update intermediate.int_product_days set units = 7 where known_at <= date '{FIRST}'")
    first = (steps.c.as_of == FIRST) & (steps.c.step == "build_features")
    with home.records.begin() as records:
        records.execute(sa.update(steps).where(first).values(result=results[FIRST] | {"dbt": "another version's"}))
    assert build(home, SECOND)["snapshot"] == results[SECOND]["snapshot"]
    assert aggregates(home) == before


def test_training_leaves_the_nights_tables_and_shares_their_parts(built: Any) -> None:
    home, _, results = built
    before = aggregates(home)
    result = build_training_features(home, SECOND, [date(2023, 12, 1), FIRST], [SECOND], [FIRST])
    assert aggregates(home) == before
    training, night = Snapshot(home.storage, result["snapshot"]), Snapshot(home.storage, results[FIRST]["snapshot"])
    for table in ("features_demand_products", "features_demand_periods", "features_product_popularity"):
        assert training.parts[table][str(FIRST)] == night.parts[table][str(FIRST)]
    assert set(training.parts["features_customer_products"]) == {str(FIRST)}
    assert set(training.frame("features_demand_targets")["known_as_of"]) == {pd.Timestamp(SECOND)}


def test_cutoffs_after_as_of_are_refused(built: Any) -> None:
    with pytest.raises(UsageFault, match=f"cut-offs {SECOND} lie after {FIRST}"):
        build_training_features(built[0], FIRST, [FIRST], [SECOND])


def test_a_night_that_was_not_loaded_is_not_recorded_as_built(built: Any) -> None:
    home, _, _ = built
    build_features(home, date(2024, 1, 10))
    assert built_at(home, date(2024, 1, 10)) is None
    assert built_at(home, SECOND) is not None


def test_tables_without_rows_are_typed(built: Any) -> None:
    home, _, results = built
    frame = Snapshot(home.storage, results[SECOND]["snapshot"]).frame("features_payment_targets")
    assert frame.empty
    assert list(frame) == ["known_as_of", "payment_id", "is_fraud", "is_mature"]
    assert frame["known_as_of"].dtype.kind == "M"
    assert frame["is_fraud"].dtype == "bool"


def test_a_frame_has_the_columns_asked_for(built: Any) -> None:
    home, _, results = built
    snapshot = Snapshot(home.storage, results[SECOND]["snapshot"])
    frame = snapshot.frame("fct_daily_sales", ["product_id", "revenue"])
    assert list(frame) == ["product_id", "revenue"]
    assert frame["revenue"].dtype == "float64"
    assert len(frame) == snapshot.rows("fct_daily_sales") == results[SECOND]["tables"]["fct_daily_sales"]


def test_a_part_that_was_changed_is_refused(built: Any, tmp_path: Path) -> None:
    home, _, results = built
    snapshot = Snapshot(home.storage, results[SECOND]["snapshot"])
    (file,) = snapshot.files("dim_products")
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(StorageFault, match=f"{file} was changed after it was written") as fault:
        snapshot.frame("dim_products")
    assert "build_features" in fault.value.hint
    file.write_bytes(content)


def test_a_manifest_that_was_changed_is_refused(built: Any) -> None:
    home, _, _ = built
    home.storage.put_json(f"snapshots/{digest_of('other')}.json", {"dim_products": {}})
    with pytest.raises(StorageFault, match="was changed after it was written"):
        Snapshot(home.storage, digest_of("other")).files("dim_products")


def test_an_unknown_table_is_refused(built: Any) -> None:
    home, _, results = built
    with pytest.raises(StorageFault, match="holds no dim_stores, only dim_customers, dim_products"):
        Snapshot(home.storage, results[SECOND]["snapshot"]).files("dim_stores")


def test_a_retry_after_a_kill_half_way_heals_what_it_left(built: Any, tmp_path: Path) -> None:
    home, store, _ = built
    load(home, store.loaded_by(THIRD), THIRD)
    variables = {"known_after": SECOND.isoformat(), "as_of": THIRD.isoformat()}
    run_dbt(home, ["run", "--select", "int_order_lines_changes", "int_product_days"], variables)
    with home.warehouse.session() as session:  # and as if the second one had been torn
        session.execute(f"delete from intermediate.int_product_days where known_at > date '{SECOND}' and units > 0")
    healed = build(home, THIRD)
    other = new_home(tmp_path)
    load(other, {name: [v for v in rows if v["loaded_as_of"] <= THIRD] for name, rows in store.versions.items()}, THIRD)
    assert healed["snapshot"] == build(other, THIRD)["snapshot"]
    assert aggregates(home) == aggregates(other)


def test_a_failure_names_the_model_and_the_log(built: Any) -> None:
    home, _, _ = built
    with home.warehouse.session() as session:
        session.execute("alter table raw.customers rename column country to land")
    with pytest.raises(NightcartError, match=r"dbt failed: .*stg_store__customers: .*country") as failure:
        build_features(home, SECOND)
    assert "features_products" not in str(failure.value)
    assert Path(failure.value.hint.removeprefix("the whole log is ")).is_file()
    with home.warehouse.session() as session:  # the file is free again
        session.execute("alter table raw.customers rename column land to country")
