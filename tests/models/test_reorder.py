"""The reorder plan: by hand, and what must hold for every plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import lognorm

from models.reorder import BAND, Costs, critical_ratio, economic_days, reorder_plan
from models.reorder.costs import Goods
from models.reorder.lead_time import (
    CORRELATION,
    Demand,
    Periods,
    demand_within,
    level_of_ratio,
    probability_short,
    units_short,
)


def plan(
    means: list[float], spread: float, stock: tuple[int, int], product: dict[str, Any] | None = None, **options: Any
) -> pd.Series:
    forecasts = pd.DataFrame({"product_id": "p", "horizon": range(1, len(means) + 1), "units_mean": means})
    forecasts = forecasts.assign(units_p10=0.0, units_p90=BAND * spread)
    given = {"unit_price": 10.0, "unit_cost": 6.0, "lead_time_days": 13, "order_multiple": 1} | (product or {})
    products = pd.DataFrame([{"product_id": "p"} | given])
    level = pd.DataFrame([{"product_id": "p", "on_hand": stock[0], "on_order": stock[1]}])
    return reorder_plan(forecasts, products, level, period_days=7, **options).iloc[0]


def goods(price: float = 10.0, cost: float = 6.0, pack: float = 1.0) -> Goods:
    return Goods(*(np.array([value]) for value in (price, cost, pack)))


def quantile(mean: float, spread: float, level: float) -> float:
    """Of a lognormal distribution, as scipy has it."""
    width = np.sqrt(np.log1p((spread / mean) ** 2))
    return float(lognorm(width, scale=mean * np.exp(-(width**2) / 2)).ppf(level))


def test_two_weeks_of_lead_time_by_hand() -> None:
    found = plan([10, 20, 30], 5.0, (12, 8), {"order_multiple": 6}, service_level=0.975)
    two = np.sqrt(0.7 * 50 + 0.3 * 100)  # two weeks of spread 5, correlated by .3
    assert found["reorder_point"] == np.ceil(quantile(30, two, 0.975)) == 49
    assert found["order_quantity"] == np.ceil((49 + 30 - 20) / 6) * 6 == 60  # and what sells in a week
    width = np.sqrt(np.log1p((two / 30) ** 2))
    chance = lognorm(width, scale=30 * np.exp(-(width**2) / 2)).sf(20)
    assert found["stockout_probability"] == pytest.approx(chance)
    assert found["reason"] == (
        "order 60: 20 in stock and on order, 49 needed over a lead time of 13 days at a service level of 0.975 (set), "
        "in packs of 6"
    )


def test_enough_is_not_ordered_and_says_so() -> None:
    found = plan([10, 20, 30], 5.0, (60, 0))
    assert (found["order_quantity"], found["reason"]) == (
        0,
        "enough: 60 in stock and on order last a lead time of 13 days at a service level of 0.95 (set)",
    )
    assert found["stockout_probability"] < 0.01


def test_past_the_horizon_the_last_period_goes_on() -> None:
    assert plan([10], 0.0, (0, 0))["reorder_point"] == plan([10, 10, 10], 0.0, (0, 0))["reorder_point"] == 20


def test_errors_of_weeks_are_correlated_and_days_so_that_weeks_are() -> None:
    weeks = demand_within(Periods(np.full((1, 4), 7.0), np.full((1, 4), 5.0), 7), np.array([28.0]))
    assert weeks.spread[0] == pytest.approx(5.0 * np.sqrt(4 * (1 + 3 * CORRELATION)))
    between_days = CORRELATION / (7 - 6 * CORRELATION)
    day = 5.0 / np.sqrt(7 * (1 + 6 * between_days))  # of which seven have the spread of a week
    days = demand_within(Periods(np.full((1, 28), 1.0), np.full((1, 28), day), 1), np.array([28.0]))
    assert days.mean[0] == pytest.approx(weeks.mean[0])
    assert days.spread[0] == pytest.approx(weeks.spread[0])


def test_units_short_as_drawn() -> None:
    demand = Demand(np.array([20.0]), np.array([15.0]))
    width = np.sqrt(np.log1p(0.75**2))
    drawn = np.random.default_rng(7).lognormal(np.log(20) - width**2 / 2, width, 400_000)
    assert drawn.std() == pytest.approx(15.0, rel=0.02)
    for units in (0.0, 10.0, 30.0):
        assert units_short(demand, np.array([units]))[0] == pytest.approx(np.maximum(drawn - units, 0).mean(), rel=0.02)
        assert probability_short(demand, np.array([units]))[0] == pytest.approx((drawn > units).mean(), abs=0.005)


def test_unknown_lead_time_is_assumed_aloud_and_unknown_cost_is_null() -> None:
    found = plan([7], 0.0, (0, 0), {"lead_time_days": None, "unit_cost": None, "order_multiple": None})
    assert (found["lead_time_days"], found["reorder_point"], found["order_quantity"]) == (14, 15, 22)
    assert "14 days (assumed: none is given)" in found["reason"]
    assert np.isnan(found["expected_cost"])


def test_costs_without_doubt_by_hand() -> None:
    short = plan([7, 7], 0.0, (4, 0), service_level=0.5, costs=Costs(0.25, 0.5, 9.0, 0.0))
    assert short["stockout_probability"] == 1.0
    assert short["expected_cost"] == pytest.approx(0.5 * 4 * 10 + 9.0)
    full = plan([0, 0], 0.0, (100, 0), costs=Costs(0.25, 0.5))
    assert full["expected_cost"] == pytest.approx(0.25 * 6 * 100 * 20 / 365)


def test_critical_ratio_by_hand() -> None:
    week = np.array([7.0])
    held = 0.25 * 6 * 7 / 365
    assert critical_ratio(goods(), week, Costs()) == pytest.approx(0.5 * 4 / (0.5 * 4 + held))
    assert critical_ratio(goods(), 10 * week, Costs()) < critical_ratio(goods(), week, Costs())
    assert critical_ratio(goods(price=20), week, Costs()) > critical_ratio(goods(), week, Costs())
    assert critical_ratio(goods(price=5), week, Costs()) == 0.01  # no margin: nothing is lost
    assert critical_ratio(goods(), week, Costs(holding_cost_share=0.0)) == 0.999
    for unknown in (goods(price=np.nan), goods(cost=np.nan), goods(price=0, cost=0)):
        assert np.isnan(critical_ratio(unknown, week, Costs()))


def test_the_level_of_the_costs_is_the_newsvendors() -> None:
    """Where an order is large, no other reorder point costs less in a cycle whose demand is the plan's."""
    costs, product = Costs(holding_cost_share=7.0), {"lead_time_days": 6, "unit_cost": 5.0, "order_multiple": 60}
    found = plan([20, 20, 20], 12.0, (0, 0), product, service_level=None, costs=costs)
    held = 7.0 * 5 * 21 / 365  # for the three weeks that a pack lasts
    assert found["reorder_point"] == np.ceil(quantile(20, 12, 2.5 / (2.5 + held)))
    assert "at a service level of 0.551 (from its costs)" in found["reason"]
    drawn = np.random.default_rng(7).lognormal(*_logs(20, 12), 400_000)
    spent = {
        units: held * np.maximum(units - drawn, 0).mean() + 2.5 * np.maximum(drawn - units, 0).mean()
        for units in range(5, 60)
    }
    assert abs(min(spent, key=lambda units: spent[units]) - found["reorder_point"]) <= 1


def test_small_orders_need_a_lower_level_than_the_ratio() -> None:
    demand, ratio = Demand(np.array([60.0]), np.array([40.0])), np.array([0.98])
    level = level_of_ratio(ratio, demand, np.array([20.0]))
    short = probability_short(demand, np.array([quantile(60, 40, level[0]) + np.array([0.0, 20.0])]))[0]
    assert short[0] - short[1] == pytest.approx(1 - 0.98, abs=1e-4)  # short in this cycle, not before
    assert level[0] < 0.97
    assert level_of_ratio(ratio, demand, np.array([1e4]))[0] == pytest.approx(0.98)


def _logs(mean: float, spread: float) -> tuple[float, float]:
    variance = np.log1p((spread / mean) ** 2)
    return np.log(mean) - variance / 2, np.sqrt(variance)


def test_unknown_costs_take_the_default_level_aloud() -> None:
    found = plan([10, 10], 3.0, (0, 0), {"unit_cost": None}, service_level=None)
    assert found["reorder_point"] == plan([10, 10], 3.0, (0, 0), service_level=0.95)["reorder_point"]
    assert "0.95 (assumed: its costs are not known)" in found["reason"]


def test_economic_order_quantity_by_hand_and_within_the_horizon() -> None:
    costs = Costs(order_cost=2.0)
    quantity = np.sqrt(2 * 2.0 * 365 / (0.25 * 6))  # of a unit a day
    assert economic_days(goods(), np.array([1.0]), costs) == pytest.approx(quantity)
    assert economic_days(goods(cost=np.nan), np.array([1.0]), costs) == 0.0
    assert economic_days(goods(), np.array([1.0]), Costs()) == 0.0
    weeks = [7.0] * 10
    assert plan(weeks, 0.0, (0, 0))["order_quantity"] == 14 + 7
    lasting = plan(weeks, 0.0, (0, 0), costs=costs)
    assert lasting["order_quantity"] == np.ceil(14 + quantity)
    assert "to last 31 days (order cost)" in lasting["reason"]
    dear = plan(weeks, 0.0, (0, 0), costs=Costs(order_cost=1e6))
    assert dear["order_quantity"] == 70  # no longer than is foreseen


def test_smallest_orders() -> None:
    assert plan([7, 7, 7], 0.0, (13, 0), {"order_multiple": 24})["order_quantity"] == 24
    least = plan([7, 7, 7], 0.0, (0, 0), {"order_multiple": 5}, costs=Costs(minimum_order=200.0))
    assert least["order_quantity"] == 35  # 33.3 of 6 each
    assert least["reason"].endswith("the smallest order, in packs of 5")
    assert plan([7, 7, 7], 0.0, (14, 0), costs=Costs(minimum_order=200.0))["order_quantity"] == 0
    unknown = plan([7, 7, 7], 0.0, (0, 0), {"unit_cost": None}, costs=Costs(minimum_order=200.0))
    assert unknown["order_quantity"] == 21


def test_a_big_pack_lasts_longer_and_lowers_the_level_of_the_costs() -> None:
    levels = [
        plan([7, 7, 7], 9.0, (0, 0), {"order_multiple": pack}, service_level=None)["reorder_point"]
        for pack in (1, 60, 3650)
    ]
    assert levels[0] > levels[1] > levels[2]


def test_only_products_of_all_three_frames_and_none_is_typed() -> None:
    for level in (0.95, None):
        empty = reorder_plan(
            pd.DataFrame({"product_id": [], "horizon": [], "units_mean": [], "units_p10": [], "units_p90": []}),
            pd.DataFrame(
                {"product_id": ["p"], "unit_price": 1, "unit_cost": 1, "lead_time_days": 1, "order_multiple": 1}
            ),
            pd.DataFrame({"product_id": ["p"], "on_hand": [1], "on_order": [0]}),
            period_days=7,
            service_level=level,
        )
        assert len(empty) == 0
        assert str(empty["order_quantity"].dtype) == "int64"
    with pytest.raises(ValueError, match="service_level is 1"):
        plan([1], 0, (0, 0), service_level=1.0)


@settings(max_examples=25, deadline=None)
@given(
    means=st.lists(st.floats(0, 1000), min_size=1, max_size=6),
    spread=st.floats(0, 300),
    stock=st.tuples(st.integers(0, 3000), st.integers(0, 3000)),
    product=st.fixed_dictionaries(
        {
            "lead_time_days": st.one_of(st.none(), st.integers(0, 90)),
            "order_multiple": st.one_of(st.none(), st.integers(1, 48)),
            "unit_cost": st.one_of(st.just(0.0), st.floats(0.01, 20)),
        }
    ),
    costs=st.builds(Costs, st.floats(0, 1), st.floats(0, 1), st.floats(0, 100), st.floats(0, 500)),
    levels=st.tuples(st.floats(0.01, 0.999), st.floats(0.01, 0.999)),
)
def test_a_plan_is_never_negative_keeps_the_multiple_and_rises_with_the_level(
    means: list[float],
    spread: float,
    stock: tuple[int, int],
    product: dict[str, Any],
    costs: Costs,
    levels: tuple[float, float],
) -> None:
    low, high = (plan(means, spread, stock, product, service_level=level, costs=costs) for level in sorted(levels))
    assert 0 <= low["reorder_point"] <= high["reorder_point"]
    assert 0 <= low["order_quantity"] <= high["order_quantity"]
    balanced = plan(means, spread, stock, product, service_level=None, costs=costs)
    for found in (low, high, balanced):
        assert found["order_quantity"] % (product["order_multiple"] or 1) == 0
        assert (found["order_quantity"] > 0) == (sum(stock) < found["reorder_point"])
        assert 0 <= found["stockout_probability"] <= 1
        assert found["expected_cost"] >= 0
    more = plan(means, spread, (stock[0] + 1, stock[1]), product, costs=costs)
    less = plan(means, spread, stock, product, costs=costs)
    assert more["stockout_probability"] <= less["stockout_probability"]
    dear = plan(means, spread, stock, product, costs=costs._replace(order_cost=costs.order_cost + 10))
    assert dear["order_quantity"] >= less["order_quantity"]
