"""Demand models: history, baselines by hand, leaks, order of quantiles."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from models import demand
from models.demand import TSB, RecentMean, SeasonalNaive, XGBoostQuantiles
from models.demand.design import build_design
from models.demand.history import blocks, naive_scales, recent_quantiles
from models.demand.trees import Recipe
from tests.models.generators import AS_OF, at_last_cutoff, demand_frames


def one_product(units: list[float], *, period_days: int = 7, first_sold_days: int | None = None) -> dict[str, Any]:
    """Features of one product at AS_OF; units: the latest period first."""
    days = len(units) * period_days if first_sold_days is None else first_sold_days
    first = AS_OF - dt.timedelta(days=days)
    products = pd.DataFrame({"as_of": [AS_OF], "product_id": ["p"], "first_known_on": first, "first_sold_on": first})
    products = products.assign(last_sold_on=AS_OF, is_active=True, unit_price=1.0, avg_price_4=1.0, category=None)
    rows = [(AS_OF, "p", ago, sold, sold) for ago, sold in enumerate(units, start=1) if sold]
    periods = pd.DataFrame(rows, columns=["as_of", "product_id", "periods_ago", "units", "revenue"])
    return {"demand_products": products, "demand_periods": periods}


def test_recent_mean_counts_zeros_but_not_what_came_before_the_first_sale() -> None:
    features = one_product([4, 0, 4, 0, 0, 0, 0, 0, 100, 1])
    assert RecentMean(horizon=2, period_days=7).predict(features)["units_p50"].tolist() == [1.0, 1.0]
    young = one_product([4, 0, 5])
    assert RecentMean(horizon=1, period_days=7).predict(young)["units_p50"].tolist() == [3.0]


def test_seasonal_naive_takes_the_same_weeks_a_year_ago() -> None:
    features = one_product([float(ago) for ago in range(1, 61)])
    assert SeasonalNaive(horizon=3, period_days=7).predict(features)["units_p50"].tolist() == [52.0, 51.0, 50.0]


def test_seasonal_naive_of_days_repeats_the_last_week() -> None:
    features = one_product([float(ago) for ago in range(1, 31)], period_days=1)
    found = SeasonalNaive(horizon=9, period_days=1).predict(features)["units_p50"].tolist()
    assert found == [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 7.0, 6.0]


def test_a_young_product_gets_its_recent_mean_instead_of_last_year() -> None:
    features = one_product([4, 0, 5])
    assert SeasonalNaive(horizon=2, period_days=7).predict(features)["units_p50"].tolist() == [3.0, 3.0]


def test_tsb_by_hand_and_fading() -> None:
    found = TSB(horizon=2, period_days=7).predict(one_product([0, 6, 2]))
    chance, size = 2 / 3, 4.0
    for units in (2, 6, 0):
        chance += 0.1 * ((units > 0) - chance)
        size += 0.1 * (units - size) if units else 0.0
    assert found["units_p50"].tolist() == pytest.approx([chance * size] * 2)
    faded = TSB(horizon=1, period_days=7).predict(one_product([0] * 30 + [6] * 30))
    assert faded["units_p50"].item() < 0.3


def test_the_scale_of_mase_is_the_mean_step_since_the_first_sale() -> None:
    scales = naive_scales(one_product([4, 1, 3]), 7)
    assert scales["scale"].tolist() == [(3.0 + 2.0) / 2.0]
    assert np.isnan(naive_scales(one_product([4]), 7)["scale"]).all()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 30), st.floats(0.0, 1.0))
@settings(deadline=None)
def test_recent_quantiles_are_numpys(units: list[int], window: int, level: float) -> None:
    block = next(blocks(one_product([float(sold) for sold in units]), 7))
    expected = np.quantile(units[:window], level)
    assert recent_quantiles(block, window, (level,))[0, 0] == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.integers(0, 200), min_size=1, max_size=60), st.sampled_from([1, 7]))
@settings(deadline=None, max_examples=50)
def test_baseline_quantiles_are_in_order_and_not_negative(units: list[int], period_days: int) -> None:
    features = one_product([float(sold) for sold in units], period_days=period_days)
    for model in (SeasonalNaive, RecentMean, TSB):
        _assert_in_order(model(horizon=8, period_days=period_days).predict(features))


def _assert_in_order(predicted: pd.DataFrame) -> None:
    assert (predicted[["units_mean", "units_p10"]] >= 0.0).all(axis=None)
    assert (predicted["units_p10"] <= predicted["units_p50"]).all()
    assert (predicted["units_p50"] <= predicted["units_p90"]).all()


@pytest.mark.parametrize("period_days", [1, 7])
def test_xgboost_covers_all_products_and_periods_in_order(period_days: int) -> None:
    features, targets = demand_frames(period_days=period_days)
    predicted = XGBoostQuantiles(horizon=3, period_days=period_days, threads=1).fit(features, targets).predict(features)
    assert len(predicted) == 3 * len(features["demand_products"])
    assert np.isfinite(predicted.iloc[:, 3:].to_numpy()).all()
    _assert_in_order(predicted)


def test_xgboost_follows_the_level_of_each_product() -> None:
    features, targets = demand_frames(products=40)
    night = at_last_cutoff(features)
    predicted = XGBoostQuantiles(horizon=3, period_days=7, threads=1).fit(features, targets).predict(night)
    flat = RecentMean(horizon=3, period_days=7).predict(night)
    assert np.corrcoef(predicted["units_mean"], flat["units_mean"])[0, 1] > 0.95


def test_rows_are_drawn_where_there_are_too_many() -> None:
    features, targets = demand_frames(products=40)
    few = XGBoostQuantiles(horizon=3, period_days=7, threads=1, recipe=Recipe(max_rows=400, min_child_weight=5.0))
    _assert_in_order(few.fit(features, targets).predict(features))


def test_the_same_bytes_with_one_thread_and_two(tmp_path: Any) -> None:
    features, targets = demand_frames(products=60)
    for threads in (1, 2):
        model = XGBoostQuantiles(horizon=3, period_days=7, threads=threads).fit(features, targets)
        model.save(tmp_path / str(threads))
    for name in ("settings.json", "mean.ubj", "quantiles.ubj"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.mark.parametrize("model", demand.CONTESTANTS, ids=lambda model: model.name)
def test_targets_of_periods_not_yet_known_change_nothing(model: Any) -> None:
    known = AS_OF - dt.timedelta(days=28)  # of the cut-off a week before, only the first period has ended
    features, targets = demand_frames(known_as_of=known, step_days=7, cutoffs=16)
    late = [(known, 1), (known - dt.timedelta(days=7), 2), (known, 3)]
    planted = targets.iloc[:3].assign(as_of=[one[0] for one in late], horizon=[one[1] for one in late], units=10**6)
    assert set(planted["as_of"]) <= set(features["demand_products"]["as_of"])
    assert_frame_equal(_predicted(model, features, pd.concat([targets, planted])), _predicted(model, features, targets))


def _predicted(model: Any, features: dict[str, pd.DataFrame], targets: pd.DataFrame) -> pd.DataFrame:
    frame: pd.DataFrame = model(horizon=3, period_days=7, threads=1).fit(features, targets).predict(features)
    return frame


@pytest.mark.parametrize("ago", [0, -1])
def test_a_period_after_the_cutoff_is_refused(ago: int) -> None:
    features = one_product([1.0, 2.0])
    future = features["demand_periods"].iloc[:1].assign(periods_ago=ago, units=10**6)
    features["demand_periods"] = pd.concat([features["demand_periods"], future])
    with pytest.raises(ValueError, match="a feature from the future"):
        RecentMean(horizon=1, period_days=7).predict(features)


def test_the_list_price_is_no_feature() -> None:
    features, _ = demand_frames()
    dearer = {**features, "demand_products": features["demand_products"].assign(unit_price=99.0, is_active=False)}
    for one, two in zip(blocks(features, 7), blocks(dearer, 7), strict=True):
        np.testing.assert_array_equal(build_design(one, 3, 7).rows(), build_design(two, 3, 7).rows())


def test_other_cutoffs_do_not_change_a_forecast() -> None:
    features, _ = demand_frames()
    for model in (SeasonalNaive(horizon=3, period_days=7), RecentMean(horizon=3, period_days=7)):
        together = model.predict(features)
        alone = model.predict(at_last_cutoff(features))
        last = together[together["as_of"] == pd.Timestamp(AS_OF)].reset_index(drop=True)
        assert_frame_equal(last, alone)


def test_one_spike_does_not_set_the_level() -> None:
    calm, spiked = one_product([3.0] * 40), one_product([3.0] * 5 + [70000.0] + [3.0] * 34)
    levels = [build_design(next(blocks(features, 7)), 2, 7).level[0] for features in (calm, spiked)]
    assert levels[1] == pytest.approx(levels[0], rel=0.15)


def test_too_little_to_train_says_how_little() -> None:
    features, targets = demand_frames(products=3, cutoffs=2)
    with pytest.raises(ValueError, match=r"too little data to train xgboost_quantiles: found \d+ rows, expected 200"):
        XGBoostQuantiles(horizon=3, period_days=7).fit(features, targets)


def test_periods_may_come_in_any_order() -> None:
    features, _ = demand_frames()
    shuffled = {name: frame.sample(frac=1.0, random_state=1) for name, frame in features.items()}
    model = RecentMean(horizon=3, period_days=7)
    assert_frame_equal(model.predict(shuffled), model.predict(features))


def test_before_fit_there_is_no_forecast() -> None:
    with pytest.raises(ValueError, match="has not been fitted"):
        XGBoostQuantiles(horizon=1, period_days=7).predict(one_product([1.0]))


@pytest.mark.parametrize(("wrong", "said"), [({"horizon": 0}, "horizon is 0"), ({"period_days": 14}, "a day, a week")])
def test_wrong_settings_are_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RecentMean(**{"horizon": 3, "period_days": 7} | wrong)


def test_a_product_twice_at_one_cutoff_is_refused() -> None:
    features = one_product([1.0])
    features["demand_products"] = pd.concat([features["demand_products"]] * 2)
    with pytest.raises(ValueError, match="found a product twice"):
        RecentMean(horizon=1, period_days=7).predict(features)
