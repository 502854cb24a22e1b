"""One broken rule and nothing is published; the error says table, rule, count and samples."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.catalog import DATASETS, OUTPUT_TABLES
from pipelines.errors import AuditFault, NothingToDo, StorageFault, UsageFault
from pipelines.home import Home
from pipelines.publishing import audit_suites
from pipelines.publishing.audit import accept, audit
from pipelines.publishing.publish import query
from pipelines.publishing.suites import as_text, read_suite, suite_file, suite_of
from pipelines.storage import write_parquet
from tests.publishing.generators import AS_OF, CUSTOMERS, PRODUCTS, Rows, bought, night, outputs, publish_night

Tables = dict[str, Rows]
Change = Callable[[Tables], None]
FORECASTS, LISTS, DEFAULT = "demand_forecasts", "recommendations", "recommendations_default"


def put(table: str, column: str, value: Any) -> Change:
    """Put a value into the table's last row."""
    return lambda tables: tables[table][-1].update({column: value})


def again(table: str) -> Change:
    """Give the table's last row twice."""
    return lambda tables: tables[table].append(dict(tables[table][-1]))


def drop(table: str, keep: Callable[[dict[str, Any]], bool]) -> Change:
    """Keep only some rows of a table."""
    return lambda tables: tables.update({table: [row for row in tables[table] if keep(row)]})


BROKEN: dict[str, tuple[Change, str, str]] = {
    "null": (put(FORECASTS, "units_p50", None), FORECASTS, "not_be_null"),
    "negative units": (put(FORECASTS, "units_p10", -1.0), FORECASTS, "to_be_between"),
    "quantiles out of order": (put(FORECASTS, "units_p90", 0.5), FORECASTS, "pair_values_a_to_be_greater_than_b"),
    "infinite": (put(FORECASTS, "units_mean", float("inf")), FORECASTS, "finite"),
    "horizon too far": (put(FORECASTS, "horizon", 5), FORECASTS, "column=horizon"),
    "period missing": (drop(FORECASTS, lambda row: row["horizon"] != 3), FORECASTS, "has every period"),
    "unknown product forecast": (put(FORECASTS, "product_id", "P99"), FORECASTS, "only products of"),
    "wrong period_start": (put(FORECASTS, "period_start", AS_OF), FORECASTS, "h - 1 periods after as_of"),
    "forecast twice": (again(FORECASTS), FORECASTS, "one row for each product x period"),
    "no forecast": (drop(FORECASTS, lambda row: False), FORECASTS, "row_count"),
    "rank too high": (put(LISTS, "rank", 6), LISTS, "column=rank"),
    "rank twice": (again(LISTS), LISTS, "one row for each customer x rank"),
    "gap in ranks": (drop(LISTS, lambda row: row["rank"] != 2), LISTS, "without a gap"),
    "unknown arm": (put(LISTS, "arm", "other"), LISTS, "in_set"),
    "unknown product recommended": (put(LISTS, "product_id", "P99"), LISTS, "known and active"),
    "product twice": (put(LISTS, "product_id", "P00"), LISTS, "no product twice"),
    "bought": (put(LISTS, "product_id", bought(CUSTOMERS[-1])[0]), LISTS, "exclude_bought"),
    "reason never bought": (put(LISTS, "reason_product_id", "P99"), LISTS, "one that the customer bought"),
    "customer not served": (drop(LISTS, lambda row: row["customer_id"] != "C03"), LISTS, "served or counted"),
    "unknown customer": (put(LISTS, "customer_id", "C99"), LISTS, "only customers with a known order line"),
    "default unknown product": (put(DEFAULT, "product_id", "P99"), DEFAULT, "known and active"),
    "default rank twice": (again(DEFAULT), DEFAULT, "one row for each segment x rank"),
    "default gap": (drop(DEFAULT, lambda row: row["rank"] != 1), DEFAULT, "without a gap"),
}
BY_SUITE = {"null", "negative units", "quantiles out of order", "horizon too far", "no forecast", "rank too high"}
BY_SUITE |= {"unknown arm"}  # the other rules are SQL: their tests leave the suites' seconds out
BROKEN_MARTS: dict[str, tuple[Change, str, str]] = {
    "sold tomorrow": (put("fct_daily_sales", "day", AS_OF), "fct_daily_sales", "nothing from the future"),
    "last sold tonight": (put("dim_products", "last_sold_on", AS_OF), "dim_products", "nothing from the future"),
    "last ordered later": (put("dim_customers", "last_ordered_on", date(2012, 1, 1)), "dim_customers", "the future"),
    "inactive product": (put("features_products", "is_active", False), LISTS, "known and active"),
}


def test_a_sound_release_passes_and_is_counted(home: Home) -> None:
    release_id = night(home)
    result = audit(home, AS_OF)
    assert result["release_id"] == release_id
    assert result["rows"][FORECASTS] == 40
    assert len(result["digests"]["fct_daily_sales"]) == 2


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_output_stops_the_night(home: Home, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, table, rule = BROKEN[case]
    if case not in BY_SUITE:
        monkeypatch.setattr("pipelines.publishing.audit.suite_failures", lambda *_: [])
    night(home, change=change)
    _assert_stopped(home, table, rule)


@pytest.mark.parametrize("case", BROKEN_MARTS)
def test_a_broken_mart_or_reference_stops_the_night(home: Home, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.publishing.audit.suite_failures", lambda *_: [])
    change, table, rule = BROKEN_MARTS[case]
    night(home, change_snapshot=change if case != "inactive product" else _without_first_product)
    _assert_stopped(home, table, rule)


def test_what_was_bought_may_be_recommended_when_the_setting_says_so(home: Home) -> None:
    home.settings.recommendations.__dict__["exclude_bought"] = False
    night(home, change=BROKEN["bought"][0])
    audit(home, AS_OF)


def test_customers_counted_as_unserved_need_no_row_when_they_bought_all(home: Home) -> None:
    def bought_all(tables: dict[str, Any]) -> None:
        rows = tables["features_customer_products"]
        (row,) = [row for row in rows if row["customer_id"] == "C03"][:1]
        others = [kept for kept in rows if kept["customer_id"] != "C03"]
        tables["features_customer_products"] = others + [row | {"product_id": product} for product in PRODUCTS]

    night(home, change=BROKEN["customer not served"][0], change_snapshot=bought_all, unserved=1)
    audit(home, AS_OF)
    night(home, change=BROKEN["customer not served"][0], unserved=1)
    with pytest.raises(AuditFault, match="nothing left to be shown: 1 row, such as customer_id C03"):
        audit(home, AS_OF)
    night(home, unserved=2)
    with pytest.raises(AuditFault, match="without_rows 0, counted 2"):
        audit(home, AS_OF)


def test_the_error_counts_and_shows_three(home: Home) -> None:
    night(home, change=drop(FORECASTS, lambda row: row["horizon"] != 3))
    with pytest.raises(AuditFault, match="10 rows, such as product_id P00, horizon 3; product_id P01") as caught:
        audit(home, AS_OF)
    assert caught.value.exit_code == 4
    assert str(caught.value).count("horizon 3") == 3
    assert "nothing was published" in caught.value.hint


def test_columns_of_another_type_are_found_first(home: Home) -> None:
    release_id = night(home)
    rows = pa.table({"product_id": [1, 2], "units": ["a", "b"]})
    home.storage.put_table(f"releases/{release_id}/{FORECASTS}.parquet", rows)
    with pytest.raises(AuditFault, match=r"columns as the catalogue types them: .* product_id int64"):
        audit(home, AS_OF)


def test_a_damaged_file_is_named(home: Home) -> None:
    release_id = night(home)
    home.storage.path(f"releases/{release_id}/{FORECASTS}.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageFault, match="no Parquet file"):
        audit(home, AS_OF)


def test_a_skipped_output_passes_without_rows(home: Home) -> None:
    night(home, skip={"demand": "no products"})
    result = audit(home, AS_OF)
    assert result["skipped"] == {"demand": "no products"}
    assert result["rows"][FORECASTS] == 0


def test_half_of_the_last_volume_is_too_little_unless_accepted(home: Home) -> None:
    def shrink(tables: Tables) -> None:
        for name in ("features_demand_products", "features_products"):
            if name in tables:
                tables[name] = tables[name][:4] if name == "features_demand_products" else tables[name]
        if FORECASTS in tables:
            tables[FORECASTS] = [row for row in tables[FORECASTS] if row["product_id"] < "P04"]

    publish_night(home, AS_OF - timedelta(days=1))
    night(home, change=shrink, change_snapshot=shrink)
    with pytest.raises(AuditFault, match="40 rows then, 16 now") as caught:
        audit(home, AS_OF)
    assert f"nightcart accept {FORECASTS} 2011-11-01 --reason" in caught.value.hint
    accept(home, FORECASTS, AS_OF, "the store closed its second floor")
    audit(home, AS_OF)
    with pytest.raises(UsageFault, match="no output table nonsense"):
        accept(home, "nonsense", AS_OF, "?")


def test_chunks_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_suites, "CHUNK", 25)
    rows = [row | {"units_p10": -1.0 if row["horizon"] == 1 else 0.0} for row in outputs(AS_OF)[FORECASTS]]
    write_parquet(pa.Table.from_pylist(rows, schema=DATASETS[FORECASTS].schema), tmp_path / "rows.parquet")
    parameters = {"horizon": 4, "least_rows": 1}
    (failure,) = audit_suites.suite_failures(DATASETS[FORECASTS], tmp_path / "rows.parquet", parameters)
    assert "column=units_p10" in failure.rule
    assert (failure.count, len(failure.samples)) == (10, 3)


@pytest.mark.parametrize("dataset", OUTPUT_TABLES, ids=lambda dataset: dataset.name)
def test_committed_suites_are_what_the_catalogue_gives(dataset: Any) -> None:
    current = read_suite(dataset.name)
    assert suite_file(dataset.name).read_text("utf-8") == as_text(suite_of(dataset, current)), (
        "run `python -m pipelines.publishing.suites`"
    )


def _without_first_product(tables: Tables) -> None:
    tables["features_products"][0]["is_active"] = False


def _assert_stopped(home: Home, table: str, rule: str) -> None:
    with pytest.raises(AuditFault) as caught:
        audit(home, AS_OF)
    line = next(
        line for line in str(caught.value).splitlines() if line.strip().startswith(f"{table}: ") and rule in line
    )
    assert "such as" in line
    with pytest.raises(NothingToDo):
        query(home, "select 1")
