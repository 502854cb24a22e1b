"""Whole nights of the small store, a month apart: what the first ones said, judged by what the last one knows."""

from __future__ import annotations

import pandas as pd
import pytest
import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.publishing.release import snapshots_of
from pipelines.records import Row, model_performance
from pipelines.scoring.outputs import output_of
from pipelines.steps import run_step
from tests.landing import Landing
from tests.nights.conftest import enter_home, files_of, walk
from tests.nights.store import DAY, HISTORY, SETTINGS, write_store

LAST = HISTORY + 32 * DAY
PAST = [LAST - ahead * DAY for ahead in (30, 28, 14)]  # payments, lists and forecasts, forecasts; tickets in each


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that ran these nights."""
    folder = tmp_path_factory.mktemp("came_true")
    write_store(Landing(folder / "landing"), LAST)
    (folder / "settings.yaml").write_text(f"{SETTINGS}validate: {{min_volume_ratio: 0}}\n")  # few orders a day
    with pytest.MonkeyPatch.context() as monkeypatch:
        home = enter_home(folder / "home", folder, monkeypatch)
        for night in [*PAST, LAST]:
            walk(night)
    return home


def realised(home: Home) -> list[Row]:
    """The last night's figures of what came true, all segments."""
    figures = model_performance.c
    return home.records.rows(sa.select(model_performance).where(figures.kind == "realised", figures.as_of == LAST))


@pytest.mark.long
def test_each_output_is_judged_by_what_came_true(home: Home) -> None:
    found = {(row["output"], row["metric"]): row for row in realised(home) if row["segment"] == "all"}
    main = [found[output, output_of(output).metric] for output in OUTPUTS]
    watched = home.records.result(LAST, "monitor")["realised"]
    assert {output: watched[output]["nights"] for output in OUTPUTS} == {
        "recommendations": 1,
        "demand": 2,
        "risk": 1,
        "support": 3,
    }
    assert all(row["n"] > 3 and row["labels_mature_until"] < LAST for row in main)
    assert any(gap["segment"] == "all" for gap in watched["support"]["gaps"])


@pytest.mark.long
def test_the_error_of_demand_is_that_of_the_published_forecasts_and_the_published_sales(home: Home) -> None:
    (row,) = [row for row in realised(home) if (row["metric"], row["segment"]) == ("wape", "all")]
    snapshot = Snapshot(home.storage, snapshots_of(home, LAST)[0])
    sales, targets = snapshot.frame("fct_daily_sales"), snapshot.frame("features_demand_targets")
    out = targets[targets["days_out_of_stock"] > 0]
    wrong = sold = 0.0
    for night in PAST[1:]:
        (file,) = [key for key in files_of(home, night) if key.endswith("demand_forecasts.parquet")]
        for told in pd.read_parquet(home.storage.path(file)).itertuples():
            if (
                (out["as_of"] == str(night)) & (out["product_id"] == told.product_id) & (out["horizon"] == told.horizon)
            ).any():
                continue
            day, start = pd.to_datetime(sales["day"]), pd.Timestamp(told.period_start)
            is_in = (day >= start) & (day < start + pd.Timedelta(days=7)) & (sales["product_id"] == told.product_id)
            units = sales.loc[is_in, "units"].sum()
            wrong, sold = wrong + abs(units - told.units_p50), sold + units
    assert row["value"] == pytest.approx(wrong / sold)


@pytest.mark.long
def test_the_night_again_gives_the_same(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before, snapshots = realised(home), snapshots_of(home, LAST)
    enter_home(home.root, home.root.parent, monkeypatch)
    for step in ("build_features", "monitor"):
        run_step(step, LAST)
    assert snapshots_of(home, LAST) == snapshots
    assert realised(home) == before
