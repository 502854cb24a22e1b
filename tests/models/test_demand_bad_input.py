"""Series that no store should have and every store has: a clear forecast or a clear error, by every demand model."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models import demand
from models.dates import to_days
from models.demand import XGBoostQuantiles
from models.demand.design import build_design
from models.demand.history import blocks
from models.demand.totals import demand_totals
from tests.models.generators import AS_OF, at_last_cutoff, demand_frames

UNITS = ["units_mean", "units_p10", "units_p50", "units_p90"]
ODD: dict[str, list[tuple[int, float]]] = {
    "one_point": [(100, 7.0)],
    "one_point_yesterday": [(1, 7.0)],
    "all_zeros": [(back, 0.0) for back in range(7, 400, 7)],
    "all_negative": [(back, -3.0) for back in range(7, 400, 7)],
    "some_negative": [(back, -50.0 if back % 3 else 9.0) for back in range(7, 400, 7)],
    "a_gap_of_a_year": [(back, 5.0) for back in [*range(7, 60, 7), *range(430, 490, 7)]],
    "stopped_a_year_ago": [(back, 5.0) for back in range(370, 490, 7)],
    "one_huge_order": [(back, 1e7 if back == 70 else 2.0) for back in range(7, 400, 7)],
}
"""Days before AS_OF, and the units of that day."""


def odd_rows() -> pd.DataFrame:
    rows = [(AS_OF - dt.timedelta(days=back), name, units, units) for name, days in ODD.items() for back, units in days]
    return pd.DataFrame(rows, columns=["day", "product_id", "units", "revenue"])


@pytest.fixture(scope="module")
def frames() -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    return demand_frames(products=30, also=odd_rows())


@pytest.fixture(scope="module")
def predicted(frames: Any) -> dict[str, pd.DataFrame]:
    """What every model says of the last night."""
    features, targets = frames
    models = [model(horizon=3, period_days=7, threads=1) for model in demand.CONTESTANTS]
    return {model.name: model.fit(features, targets).predict(at_last_cutoff(features)) for model in models}


@pytest.mark.parametrize("series", ODD)
@pytest.mark.parametrize("model", [model.name for model in demand.CONTESTANTS])
def test_every_odd_series_has_finite_units_in_order(predicted: Any, model: str, series: str) -> None:
    found = predicted[model].loc[predicted[model]["product_id"] == series, UNITS].to_numpy()
    assert found.shape == (3, 4)
    assert np.isfinite(found).all() and (found >= 0.0).all()
    assert (np.diff(found[:, 1:], axis=1) >= 0.0).all()


@pytest.mark.parametrize("model", [model.name for model in demand.CONTESTANTS])
def test_what_never_sold_or_stopped_is_expected_to_sell_next_to_nothing(predicted: Any, model: str) -> None:
    by_product = predicted[model].groupby("product_id")["units_p50"].max()
    assert by_product[["all_zeros", "all_negative"]].max() < 0.5
    if model in ("seasonal_naive", "xgboost_quantiles"):  # the others are means that one order moves, by definition
        assert by_product["one_huge_order"] < 100.0


@pytest.mark.parametrize("model", [model.name for model in demand.CONTESTANTS])
def test_odd_series_add_up_with_the_others(predicted: Any, model: str) -> None:
    products = predicted[model]["product_id"].unique()
    categories = pd.DataFrame({"product_id": products, "category": [None, *["a"] * (len(products) - 1)]})
    totals = demand_totals(predicted[model], categories)
    assert np.isfinite(totals[UNITS].to_numpy()).all()
    assert (np.diff(totals[UNITS[1:]].to_numpy(), axis=1) >= 0.0).all()
    expected = predicted[model].groupby("horizon")["units_mean"].sum()
    for _, level in totals.groupby("level"):
        np.testing.assert_allclose(level.groupby("horizon")["units_mean"].sum(), expected)


def test_a_store_that_sells_nothing_is_expected_to_sell_nothing() -> None:
    features, targets = demand_frames(products=30, cutoffs=12)
    nothing = features | {"demand_periods": features["demand_periods"].assign(units=0, revenue=0.0)}
    for model in (kind(horizon=3, period_days=7, threads=1) for kind in demand.CONTESTANTS):
        found = model.fit(nothing, targets.assign(units=0)).predict(at_last_cutoff(nothing))
        assert np.isfinite(found[UNITS].to_numpy()).all()
        assert found[["units_p50", "units_p90"]].to_numpy().max() < 0.1


def test_a_store_of_one_series_of_one_point() -> None:
    also = odd_rows().query("product_id == 'one_point'")
    features, targets = demand_frames(products=2, days=1, also=also)
    night = at_last_cutoff(features)
    for model in demand.CONTESTANTS[:-1]:
        found = model(horizon=3, period_days=7).fit(features, targets).predict(night)
        assert np.isfinite(found[UNITS].to_numpy()).all()
    with pytest.raises(ValueError, match="too little data to train xgboost_quantiles"):
        XGBoostQuantiles(horizon=3, period_days=7).fit(features, targets)


def test_below_zero_is_read_as_zero(frames: Any) -> None:
    features, _ = frames
    for block in blocks(features, 7):
        assert (block.units >= 0.0).all() and (block.revenue >= 0.0).all()
        assert np.isfinite(build_design(block, 3, 7).level).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", ["units", "revenue"])
def test_units_that_are_no_number_are_refused(value: float, column: str) -> None:
    features, _ = demand_frames()
    periods = features["demand_periods"].astype({column: np.float64})
    periods.loc[3, column] = value
    with pytest.raises(ValueError, match=rf"demand_periods\.{column}: found 1 rows without a finite number"):
        list(blocks(features | {"demand_periods": periods}, 7))


def test_a_period_twice_is_refused() -> None:
    features, targets = demand_frames()
    twice = pd.concat([features["demand_periods"], features["demand_periods"].iloc[[5]].assign(units=9)])
    with pytest.raises(ValueError, match=r"demand_periods\.units: found 1 periods of a product twice"):
        list(blocks(features | {"demand_periods": twice}, 7))
    with pytest.raises(ValueError, match=r"targets\.units: found 1 periods of a product twice"):
        XGBoostQuantiles(horizon=3, period_days=7).fit(features, pd.concat([targets, targets.iloc[[0]]]))


def test_outcomes_that_are_no_number_are_refused() -> None:
    features, targets = demand_frames()
    targets = targets.assign(units=targets["units"].astype(np.float64).where(np.arange(len(targets)) != 2))
    with pytest.raises(ValueError, match=r"targets\.units: found 1 rows without a finite number"):
        XGBoostQuantiles(horizon=3, period_days=7).fit(features, targets)


def test_a_clock_change_leaves_a_date_on_its_local_day() -> None:
    local = pd.date_range("2024-03-30", "2024-04-01", tz="Europe/Berlin")  # the clock goes forward on the 31st
    assert to_days(local.to_series()).astype(str).tolist() == ["2024-03-30", "2024-03-31", "2024-04-01"]


@pytest.mark.parametrize("model", demand.CONTESTANTS, ids=lambda model: model.name)
def test_days_with_an_offset_change_no_forecast(model: Any) -> None:
    day = (AS_OF - dt.date(2015, 3, 29)).days  # the clock goes forward inside the history
    features, targets = demand_frames(period_days=1, products=12, cutoffs=9, step_days=14)
    assert day < 9 * 14
    products = features["demand_products"].copy()
    for name in ("as_of", "first_sold_on", "last_sold_on"):
        products[name] = pd.to_datetime(products[name]).dt.tz_localize("Europe/Berlin")
    shifted = features | {"demand_products": products}
    said = [model(horizon=3, period_days=1, threads=1).fit(f, targets).predict(f) for f in (features, shifted)]
    pd.testing.assert_frame_equal(*said)
