"""The reorder plan: by hand, and what must hold for every plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.reorder import BAND, Costs, reorder_plan


def plan(
    means: list[float], spread: float, stock: tuple[int, int], product: dict[str, Any] | None = None, **options: Any
) -> pd.Series:
    forecasts = pd.DataFrame({"product_id": "p", "horizon": range(1, len(means) + 1), "units_mean": means})
    forecasts = forecasts.assign(units_p10=0.0, units_p90=BAND * spread)
    given = {"unit_price": 10.0, "unit_cost": 6.0, "lead_time_days": 13, "order_multiple": 1} | (product or {})
    products = pd.DataFrame([{"product_id": "p"} | given])
    level = pd.DataFrame([{"product_id": "p", "on_hand": stock[0], "on_order": stock[1]}])
    return reorder_plan(forecasts, products, level, period_days=7, **options).iloc[0]


def test_two_weeks_of_lead_time_by_hand() -> None:
    found = plan([10, 20, 30], 5.0, (12, 8), {"order_multiple": 6}, service_level=0.975)
    assert found["reorder_point"] == np.ceil(30 + 1.95996 * np.sqrt(50))
    assert found["order_quantity"] == np.ceil((60 + 1.95996 * np.sqrt(75) - 20) / 6) * 6
    assert found["stockout_probability"] == pytest.approx(0.9214, abs=1e-4)  # 1 - Phi(-10 / sqrt(50))
    assert found["reason"] == "order 60: 20 in stock and on order, 44 needed over a lead time of 13 days"


def test_enough_is_not_ordered_and_says_so() -> None:
    found = plan([10, 20, 30], 5.0, (50, 0))
    assert (found["order_quantity"], found["reason"][:6]) == (0, "enough")
    assert found["stockout_probability"] == pytest.approx(0.0023, abs=1e-4)


def test_past_the_horizon_the_last_period_goes_on() -> None:
    assert plan([10], 0.0, (0, 0))["reorder_point"] == plan([10, 10, 10], 0.0, (0, 0))["reorder_point"] == 20


def test_unknown_lead_time_is_assumed_aloud_and_unknown_cost_is_null() -> None:
    found = plan([7], 0.0, (0, 0), {"lead_time_days": None, "unit_cost": None, "order_multiple": None})
    assert (found["lead_time_days"], found["reorder_point"], found["order_quantity"]) == (14, 15, 22)
    assert "assumed" in found["reason"]
    assert np.isnan(found["expected_cost"])


def test_costs_without_doubt_by_hand() -> None:
    short = plan([7, 7], 0.0, (4, 0), service_level=0.5, costs=Costs(0.25, 0.5, 9.0))
    assert (short["order_quantity"], short["stockout_probability"]) == (17, 1.0)
    assert short["expected_cost"] == pytest.approx(0.5 * 4 * 10 + 9.0)
    full = plan([0, 0], 0.0, (100, 0), costs=Costs(0.25, 0.5, 9.0))
    assert full["expected_cost"] == pytest.approx(0.25 * 6 * 100 * 20 / 365)


def test_only_products_of_all_three_frames_and_none_is_typed() -> None:
    empty = reorder_plan(
        pd.DataFrame({"product_id": [], "horizon": [], "units_mean": [], "units_p10": [], "units_p90": []}),
        pd.DataFrame({"product_id": ["p"], "unit_price": 1, "unit_cost": 1, "lead_time_days": 1, "order_multiple": 1}),
        pd.DataFrame({"product_id": ["p"], "on_hand": [1], "on_order": [0]}),
        period_days=7,
    )
    assert len(empty) == 0
    assert str(empty["order_quantity"].dtype) == "int64"
    with pytest.raises(ValueError, match="service_level is 1"):
        plan([1], 0, (0, 0), service_level=1.0)


@settings(max_examples=15, deadline=None)
@given(
    means=st.lists(st.floats(0, 1000), min_size=1, max_size=6),
    spread=st.floats(0, 300),
    stock=st.tuples(st.integers(0, 3000), st.integers(0, 3000)),
    lead=st.one_of(st.none(), st.integers(0, 90)),
    multiple=st.one_of(st.none(), st.integers(1, 48)),
    levels=st.tuples(st.floats(0.01, 0.999), st.floats(0.01, 0.999)),
)
def test_a_plan_is_never_negative_keeps_the_multiple_and_rises_with_the_level(
    means: list[float],
    spread: float,
    stock: tuple[int, int],
    lead: int | None,
    multiple: int | None,
    levels: tuple[float, float],
) -> None:
    product = {"lead_time_days": lead, "order_multiple": multiple}
    low, high = (plan(means, spread, stock, product, service_level=level) for level in sorted(levels))
    assert 0 <= low["reorder_point"] <= high["reorder_point"]
    assert 0 <= low["order_quantity"] <= high["order_quantity"]
    assert low["order_quantity"] % (multiple or 1) == 0
    assert 0 <= low["stockout_probability"] <= 1
    assert low["expected_cost"] >= 0
    more = plan(means, spread, (stock[0] + 1, stock[1]), product, service_level=levels[0])
    less = plan(means, spread, stock, product, service_level=levels[0])
    assert more["stockout_probability"] <= less["stockout_probability"]
