"""One broken rule and nothing is published; the error says table, rule, count and samples."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from models.reorder import reorder_plan
from models.risk import decide
from pipelines.catalog import DATASETS, OUTPUT_TABLES
from pipelines.errors import AuditFault, NothingToDo, StorageFault, UsageFault
from pipelines.home import Home
from pipelines.publishing import audit_suites
from pipelines.publishing.audit import accept, audit
from pipelines.publishing.publish import query
from pipelines.publishing.suites import as_text, read_suite, suite_file, suite_of
from pipelines.storage import write_parquet
from tests.publishing.events import PROBABILITIES
from tests.publishing.generators import (
    AS_OF,
    CUSTOMERS,
    DAYS,
    PRODUCTS,
    Rows,
    bought,
    features,
    marts,
    night,
    outputs,
    publish_night,
)

Tables = dict[str, Rows]
Change = Callable[[Tables], None]
FORECASTS, LISTS, DEFAULT = "demand_forecasts", "recommendations", "recommendations_default"
PLAN, FLAGS, TRIAGE, TOTALS = "reorder_plan", "risk_flags", "ticket_triage", "demand_totals"
TRENDS = "ticket_trends"


def put(table: str, column: str, value: Any, at: int = -1) -> Change:
    """Put a value into one of the table's rows, the last if not said otherwise."""
    return lambda tables: tables[table][at].update({column: value})


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
    "totals do not add up": (put(TOTALS, "units_mean", 96.0), TOTALS, "add up to the products' means"),
    "total twice": (again(TOTALS), TOTALS, "one row for each category and total x period"),
    "no totals": (drop(TOTALS, lambda row: row["level"] == "total"), TOTALS, "add up to the products' means"),
    "rank too high": (put(LISTS, "rank", 6), LISTS, "column=rank"),
    "rank twice": (again(LISTS), LISTS, "one row for each customer x rank"),
    "gap in ranks": (drop(LISTS, lambda row: row["rank"] != 2), LISTS, "without a gap"),
    "unknown arm": (put(LISTS, "arm", "other"), LISTS, "in_set"),
    "two arms": (put(LISTS, "arm", "holdout"), LISTS, "in one arm"),
    "unknown product recommended": (put(LISTS, "product_id", "P99"), LISTS, "known and active"),
    "product twice": (put(LISTS, "product_id", "P00"), LISTS, "no product twice"),
    "bought": (put(LISTS, "product_id", bought(CUSTOMERS[-1])[1]), LISTS, "exclude_bought"),
    "reason never bought": (put(LISTS, "reason_product_id", "P99"), LISTS, "one that the customer bought"),
    "customer not served": (drop(LISTS, lambda row: row["customer_id"] != "C03"), LISTS, "served or counted"),
    "unknown customer": (put(LISTS, "customer_id", "C99"), LISTS, "only customers with a known order line"),
    "default unknown product": (put(DEFAULT, "product_id", "P99"), DEFAULT, "known and active"),
    "default rank twice": (again(DEFAULT), DEFAULT, "one row for each segment x rank"),
    "default gap": (drop(DEFAULT, lambda row: row["rank"] != 1), DEFAULT, "without a gap"),
    "product not planned": (
        drop(PLAN, lambda row: row["product_id"] != "P05"),
        PLAN,
        "forecast and has stock is planned",
    ),
    "planned without forecast": (put(PLAN, "product_id", "P10"), PLAN, "only products that are forecast"),
    "planned without stock": (put(PLAN, "product_id", "P00"), PLAN, "stock is what is known"),
    "other stock": (put(PLAN, "on_hand", 29), PLAN, "stock is what is known"),
    "stock not known": (put(PLAN, "on_order", 1, at=2), PLAN, "stock is what is known"),
    "half a box": (put(PLAN, "order_quantity", 30, at=0), PLAN, "multiple of order_multiple"),
    "ordered for nothing": (put(PLAN, "order_quantity", 12), PLAN, "from the reorder point on"),
    "not ordered": (put(PLAN, "order_quantity", 0, at=0), PLAN, "below the reorder point"),
    "cost of what has none": (put(PLAN, "expected_cost", 1.0, at=1), PLAN, "exactly where unit_cost is known"),
    "no cost": (put(PLAN, "expected_cost", None), PLAN, "exactly where unit_cost is known"),
    "planned twice": (again(PLAN), PLAN, "one row for each product"),
    "sent back": (put(PLAN, "order_quantity", -12, at=0), PLAN, "column=order_quantity"),
    "short beyond doubt": (put(PLAN, "stockout_probability", 1.01), PLAN, "column=stockout_probability"),
    "planned without a reason": (put(PLAN, "reason", ""), PLAN, "column=reason"),
    "payment not decided": (drop(FLAGS, lambda row: row["payment_id"] != "X04"), FLAGS, "has a decision"),
    "unknown payment": (put(FLAGS, "payment_id", "X99"), FLAGS, "only payments of features_payments"),
    "payment twice": (again(FLAGS), FLAGS, "one row for each payment"),
    "another's order": (put(FLAGS, "order_id", "O99"), FLAGS, "order_id is the payment's"),
    "other loss": (put(FLAGS, "expected_loss", 0.19), FLAGS, "probability times the amount"),
    "ranked but accepted": (put(FLAGS, "decision", "accept", at=3), FLAGS, "exactly the payments to review"),
    "to review without a rank": (put(FLAGS, "review_rank", None, at=3), FLAGS, "exactly the payments to review"),
    "gap in review ranks": (put(FLAGS, "review_rank", 5, at=3), FLAGS, "review ranks run from 1"),
    "review rank twice": (put(FLAGS, "review_rank", 2, at=3), FLAGS, "review ranks run from 1"),
    "improbable payment": (put(FLAGS, "fraud_probability", 1.2, at=7), FLAGS, "column=fraud_probability"),
    "gain expected": (put(FLAGS, "expected_loss", -1.0), FLAGS, "column=expected_loss"),
    "unknown decision": (put(FLAGS, "decision", "wait"), FLAGS, "column=decision"),
    "no flags": (drop(FLAGS, lambda row: False), FLAGS, "row_count"),
    "ticket not triaged": (drop(TRIAGE, lambda row: row["ticket_id"] != "T03"), TRIAGE, "is triaged"),
    "unknown ticket": (put(TRIAGE, "ticket_id", "T99"), TRIAGE, "only tickets of features_tickets"),
    "ticket twice": (again(TRIAGE), TRIAGE, "one row for each open ticket"),
    "answer from nowhere": (put(TRIAGE, "reply_source_ticket_id", None), TRIAGE, "where its source is named"),
    "source without answer": (put(TRIAGE, "suggested_reply", None), TRIAGE, "where its source is named"),
    "unknown source": (put(TRIAGE, "reply_source_ticket_id", "T92"), TRIAGE, "a ticket of features_ticket_replies"),
    "own source": (put(TRIAGE, "reply_source_ticket_id", "T07"), TRIAGE, "no ticket answers itself"),
    "another's order in an answer": (
        put(TRIAGE, "suggested_reply", "100005 is here", at=3),
        TRIAGE,
        "names no order but",
    ),
    "improbable intent": (put(TRIAGE, "intent_probability", -0.1), TRIAGE, "column=intent_probability"),
    "unknown urgency": (put(TRIAGE, "urgency", "extreme"), TRIAGE, "column=urgency"),
    "no intent": (put(TRIAGE, "intent", None), TRIAGE, "column=intent"),
    "trend counted wrongly": (put(TRENDS, "tickets", 4, at=-1), TRENDS, "trends count the tickets"),
    "trend left out": (drop(TRENDS, lambda row: row["product_id"] is None), TRENDS, "trends count the tickets"),
    "usual and not": (put(TRENDS, "is_unusual", True, at=0), TRENDS, "above its usual range"),
    "trend twice": (again(TRENDS), TRENDS, "one row for each product x intent x week"),
    "trend of nothing": (put(TRENDS, "usual_low", -1.0, at=0), TRENDS, "column=usual_low"),
    "no triage": (drop(TRIAGE, lambda row: False), TRIAGE, "row_count"),
}
BY_SUITE = {"null", "negative units", "quantiles out of order", "horizon too far", "no forecast", "rank too high"}
BY_SUITE |= {"unknown arm", "sent back", "short beyond doubt", "planned without a reason", "improbable payment"}
BY_SUITE |= {"gain expected", "unknown decision", "no flags", "improbable intent", "unknown urgency", "no intent"}
BY_SUITE |= {"no triage", "trend of nothing"}  # the other rules are SQL: their tests leave the suites' seconds out
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


def test_more_reviews_than_people_can_do(home: Home) -> None:
    night(home)
    home.settings.risk.__dict__["reviews_per_night"] = 2
    night(home)
    with pytest.raises(AuditFault, match=r"risk.reviews_per_night\): 1 row, such as reviews 3, allowed 2"):
        audit(home, AS_OF)


@pytest.mark.parametrize("level", [0.2, 0.95, None])
def test_what_the_models_say_passes(home: Home, level: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.publishing.audit.suite_failures", lambda *_: [])
    home.settings.demand.__dict__["service_level"] = level

    def decide_all(tables: Tables) -> None:
        known = features(AS_OF) | marts(AS_OF)
        frames = (tables[FORECASTS], known["dim_products"], known["features_stock"])
        plan = reorder_plan(*(pd.DataFrame(rows) for rows in frames), period_days=DAYS, service_level=level)
        tables[PLAN] = plan.astype(object).where(plan.notna(), None).to_dict("records")
        paid = pd.DataFrame(known["features_payments"])
        scored = paid[["payment_id", "order_id", "amount"]].assign(fraud_probability=PROBABILITIES)
        flags = decide(scored, review_cost=3.0, block_cost=15.0, reviews_per_night=2).assign(model_version="x")
        tables[FLAGS] = flags.drop(columns="amount").astype(object).where(flags.notna(), None).to_dict("records")

    night(home, change=decide_all)
    audit(home, AS_OF)


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
    with pytest.raises(AuditFault, match="only where nothing else may be shown: 1 row, such as customer_id C03"):
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
    assert result["rows"][FORECASTS] == result["rows"][PLAN] == 0


def test_a_skipped_table_passes_without_rows(home: Home) -> None:
    publish_night(home, AS_OF - timedelta(days=1))
    night(home, skip={PLAN: "no stock_levels are known", "risk": "no chargebacks"})
    result = audit(home, AS_OF)
    assert result["skipped"] == {PLAN: "no stock_levels are known", "risk": "no chargebacks"}
    assert (result["rows"][PLAN], result["rows"][FORECASTS]) == (0, 40)


def test_a_night_may_bring_few_payments_and_tickets(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.publishing.audit.suite_failures", lambda *_: [])
    monkeypatch.setattr("pipelines.publishing.audit.MIN_VOLUME_ROWS", 2)
    publish_night(home, AS_OF - timedelta(days=1))

    def fewer(tables: Tables) -> None:
        for name in {"features_payments", "features_tickets", FLAGS, TRIAGE} & set(tables):
            tables[name] = tables[name][:3]
        tables.update({TRENDS: []} if TRENDS in tables else {})

    night(home, change=fewer, change_snapshot=fewer)
    audit(home, AS_OF)


def test_half_of_the_last_volume_is_too_little_unless_accepted(home: Home) -> None:
    def shrink(tables: Tables) -> None:
        for name in ("features_demand_products", "features_products"):
            if name in tables:
                tables[name] = tables[name][:4] if name == "features_demand_products" else tables[name]
        for name in {FORECASTS, PLAN} & set(tables):
            tables[name] = [row for row in tables[name] if row["product_id"] < "P04"]
        units = sum(row["units_mean"] for row in tables.get(FORECASTS, []) if row["horizon"] == 1)
        tables |= {name: [row | {"units_mean": units} for row in tables[name]] for name in {TOTALS} & set(tables)}

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
