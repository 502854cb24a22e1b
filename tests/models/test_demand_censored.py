"""Days out of stock: what they hid is put back in the history, learnt from where it can be told, and never judged."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from models import metrics
from models.demand import TSB, RecentMean, XGBoostQuantiles
from models.demand.calibration import Outcomes
from models.demand.censored import restored
from models.demand.drawing import draw
from models.demand.history import blocks
from models.demand.lessons import Lesson, lessons
from models.metrics import DAYS_OUT
from tests.models.generators import AS_OF, demand_frames
from tests.models.test_demand import one_product

SERIES = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 7)), min_size=1, max_size=60)


def put_back(units: list[float], days_out: list[int], around: int = 8) -> list[float]:
    series, share = np.array([units], np.float32), np.array([days_out], np.float32) / 7
    found: list[float] = restored(series, share, np.ones_like(series, bool), around)[0].tolist()
    return found


def test_by_hand() -> None:
    assert put_back([7, 0, 7, 4, 7], [0, 7, 0, 0, 0]) == [7, 6, 7, 4, 7]  # 25 units in 4 weeks
    assert put_back([7, 3, 7, 7, 7], [0, 4, 0, 0, 0]) == [7, 7, 7, 7, 7]  # 31 units in 4 3/7 weeks, for 4 days
    assert put_back([7, 0, 7], [0, 0, 0]) == [7, 0, 7]


def test_a_product_that_sells_now_and_then_still_does() -> None:
    found = put_back([1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0] * 9 + [7] * 9, around=18)
    assert found[:9] == [1, 0, 0, 1, 0, 0, 1, 0, 0]
    assert sum(found[9:]) == pytest.approx(3)
    assert set(found) == {0, 1}


def test_one_wholesale_order_is_no_rate() -> None:
    assert put_back([2, 2, 4000, 0, 2, 2], [0, 0, 0, 7, 0, 0])[3] <= 4
    assert put_back([0, 4000, 0, 0], [0, 0, 7, 7])[2:] == [0, 0]


def test_what_lies_before_the_first_sale_is_left_alone() -> None:
    features = one_product([4, 0, 4])
    rows = pd.DataFrame({"as_of": AS_OF, "product_id": "p", "periods_ago": [2, 9], "units": 0, "revenue": 0})
    features["demand_periods"] = pd.concat(
        [features["demand_periods"].assign(**{DAYS_OUT: 0}), rows.assign(**{DAYS_OUT: 7})], ignore_index=True
    )
    block = next(blocks(features, 7))
    assert block.units[0, :9].tolist() == [4, 4, 4, 0, 0, 0, 0, 0, 0]
    assert block.revenue[0, 1] == 4.0


@given(SERIES, st.integers(1, 20))
@settings(deadline=None, max_examples=50)
def test_only_what_was_out_of_stock_grows_by_whole_units(series: list[tuple[int, int]], around: int) -> None:
    units, days_out = [float(sold) * (days < 7) for sold, days in series], [days for _, days in series]
    found = np.array(put_back(units, days_out, around))
    added = found - units
    assert (added >= 0).all()
    assert (added == np.round(added)).all()
    assert (added[np.array(days_out) == 0] == 0).all()


@given(st.integers(0, 2**31), st.floats(0.5, 20.0))
@settings(deadline=None, max_examples=25)
def test_on_the_whole_it_is_what_would_have_sold(seed: int, rate: float) -> None:
    random = np.random.default_rng(seed)
    wanted = random.poisson(rate / 7, (200, 60, 7))
    out = random.random((200, 60, 1)) < 0.2  # whole weeks
    out = out | (random.random((200, 60, 7)) < 0.1)  # and single days
    sold, share = (wanted * ~out).sum(axis=2).astype(np.float32), out.mean(axis=2).astype(np.float32)
    found = restored(sold, share, np.ones_like(sold, bool), 8)
    assert sold.sum() < 0.85 * wanted.sum()
    assert found.sum() == pytest.approx(wanted.sum(), rel=0.03)


def with_days_out(period_days: int = 7) -> tuple[dict[str, Any], pd.DataFrame]:
    """`demand_frames`, in which every third product could not sell in its last two periods and the first to come."""
    features, targets = demand_frames(products=24, cutoffs=6, period_days=period_days)
    periods = features["demand_periods"].assign(**{DAYS_OUT: 0})
    hit = [f"p{which:03d}" for which in range(0, 24, 3)]
    is_hit = periods["product_id"].isin(hit) & (periods["periods_ago"] <= 2)
    keys = features["demand_products"][["as_of", "product_id"]].query("product_id in @hit")
    empty = pd.concat([keys.assign(periods_ago=ago, units=0, revenue=0.0, **{DAYS_OUT: period_days}) for ago in (1, 2)])
    is_ahead = targets["product_id"].isin(hit) & (targets["horizon"] == 1)
    targets = targets.assign(units=targets["units"].mask(is_ahead, 0), **{DAYS_OUT: np.where(is_ahead, period_days, 0)})
    return features | {"demand_periods": pd.concat([periods[~is_hit], empty], ignore_index=True)}, targets


@pytest.mark.parametrize("period_days", [1, 7])
def test_outcomes_out_of_stock_are_unknown(period_days: int) -> None:
    features, targets = with_days_out(period_days)
    taught = list(lessons(features, targets, 3, period_days))
    [rows] = draw(taught, 3, period_days, None, [0], 10**9, 7)
    assert any(np.isnan(lesson.came).any() for lesson in taught)
    assert np.isfinite(rows.labels).all()
    known = [Lesson(one.block, np.nan_to_num(one.came), one.ended) for one in taught]
    [all_rows] = draw(known, 3, period_days, None, [0], 10**9, 7)
    assert len(rows.labels) == len(all_rows.labels) - sum(np.isnan(one.came[:, : one.ended]).sum() for one in taught)


def test_a_part_of_an_outcome_is_restored() -> None:
    features, targets = one_product([7.0] * 20), pd.DataFrame({"as_of": [AS_OF], "product_id": "p", "horizon": 1})
    targets = targets.assign(known_as_of=AS_OF + dt.timedelta(days=14), units=5, **{DAYS_OUT: 2})
    (lesson,) = lessons(features, targets, 2, 7)
    assert lesson.came[0].tolist() == [7.0, 0.0]


@pytest.mark.parametrize("model", [RecentMean, TSB, XGBoostQuantiles], ids=lambda model: model.name)
def test_forecasts_are_those_of_demand(model: Any) -> None:
    features, targets = with_days_out()
    blind = features | {"demand_periods": features["demand_periods"].drop(columns=DAYS_OUT)}
    seeing = _means(model, features, targets)
    unseeing = _means(model, blind, targets.drop(columns=DAYS_OUT))
    hit = seeing.index.str[1:].isin([f"{which:03d}" for which in range(0, 24, 3)])
    assert seeing[hit].sum() > 1.03 * unseeing[hit].sum()


def _means(model: Any, features: dict[str, Any], targets: pd.DataFrame) -> pd.Series:
    found = model(horizon=3, period_days=7, threads=1).fit(features, targets).predict(features)
    total: pd.Series = found.groupby("product_id")["units_mean"].sum()
    return total


@pytest.mark.parametrize("model", [RecentMean, XGBoostQuantiles], ids=lambda model: model.name)
def test_without_such_days_nothing_changes(model: Any) -> None:
    features, targets = demand_frames(products=24, cutoffs=6)
    told = features | {"demand_periods": features["demand_periods"].assign(**{DAYS_OUT: 0})}
    one = model(horizon=3, period_days=7, threads=1).fit(features, targets).predict(features)
    two = model(horizon=3, period_days=7, threads=1).fit(told, targets.assign(**{DAYS_OUT: 0})).predict(told)
    assert_frame_equal(one, two)


def test_days_since_the_last_sale_do_not_count_those_out_of_stock() -> None:
    features = one_product([0.0, 0.0, 3.0, 3.0])
    sold_on = AS_OF - dt.timedelta(days=15)
    features["demand_products"]["last_sold_on"] = sold_on
    rows = pd.DataFrame({"as_of": AS_OF, "product_id": "p", "periods_ago": [1, 2], "units": 0, "revenue": 0})
    periods = features["demand_periods"].assign(**{DAYS_OUT: 0})
    features["demand_periods"] = pd.concat([periods, rows.assign(**{DAYS_OUT: [7, 6]})], ignore_index=True)
    last = next(blocks(features, 7)).products["last_sold_on"].item()
    assert last == pd.Timestamp(sold_on) + pd.Timedelta(days=13)


def test_periods_out_of_stock_are_not_judged() -> None:
    key = {"as_of": AS_OF, "product_id": "p", "horizon": [1, 2, 3]}
    told = pd.DataFrame(key | {"units_p50": [5.0, 5.0, 5.0]})
    known = AS_OF + dt.timedelta(days=21)
    came = pd.DataFrame({"as_of": AS_OF, "product_id": "p", "horizon": [1, 2], "units": [4, 0], DAYS_OUT: [0, 1]})
    scored = metrics.with_actuals(told, came.assign(known_as_of=known), 7)
    assert scored["horizon"].tolist() == [1, 3]
    assert scored["units"].tolist() == [4.0, 0.0]
    assert DAYS_OUT not in scored


def test_unknown_outcomes_move_no_band() -> None:
    random = np.random.default_rng(2)
    bands = np.broadcast_to(np.array([8.0, 10.0, 12.0], np.float32), (2_000, 2, 3))
    came = random.normal(10.0, 3.0, (2_000, 2)).astype(np.float32)
    level, classes = np.full(2_000, 10.0, np.float32), np.zeros(2_000, np.int64)
    known, some = Outcomes(2), Outcomes(2)
    known.add(bands[:1_000], came[:1_000], level[:1_000], classes[:1_000])
    came[1_000:] = np.nan
    some.add(bands, came, level, classes)
    np.testing.assert_array_equal(known.calibration(0.1, 0.9).shifts, some.calibration(0.1, 0.9).shifts)
