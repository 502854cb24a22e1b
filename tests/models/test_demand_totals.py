"""Totals: means that add up over products, categories and the store, and a band in order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demand.totals import CORRELATION, demand_totals

UNITS = ["units_p10", "units_p50", "units_p90"]


def forecasts(means: list[float], spread: float = 1.0, periods: int = 2) -> pd.DataFrame:
    rows = [(f"p{place}", step, mean * step) for place, mean in enumerate(means) for step in range(1, periods + 1)]
    frame = pd.DataFrame(rows, columns=["product_id", "horizon", "units_mean"])
    return frame.assign(units_p10=frame["units_mean"], units_p90=frame["units_mean"] + 2.5631 * spread)


def categories(names: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({"product_id": [f"p{place}" for place in range(len(names))], "category": names})


def test_two_categories_and_a_product_without_by_hand() -> None:
    found = demand_totals(forecasts([100.0, 200.0, 50.0]), categories(["a", "a", None]))
    assert found[["level", "key", "horizon", "units_mean"]].to_numpy().tolist() == [
        ["category", "(none)", 1, 50.0],
        ["category", "(none)", 2, 100.0],
        ["category", "a", 1, 300.0],
        ["category", "a", 2, 600.0],
        ["total", "all", 1, 350.0],
        ["total", "all", 2, 700.0],
    ]
    alike = CORRELATION["category"]
    spread = np.sqrt((1 - alike) * 2.0 + alike * 4.0)
    high = found.loc[(found["key"] == "a") & (found["horizon"] == 1), "units_p90"].item()
    assert high == pytest.approx(300.0 + 1.2816 * spread, abs=0.01)


@settings(max_examples=25, deadline=None)
@given(
    means=st.lists(st.floats(0, 1000), min_size=1, max_size=30),
    names=st.lists(st.sampled_from(["a", "b", None]), min_size=30, max_size=30),
    spread=st.floats(0, 100),
)
def test_sums_are_coherent_and_quantiles_in_order(means: list[float], names: list[str | None], spread: float) -> None:
    given = forecasts(means, spread)
    found = demand_totals(given, categories(names[: len(means)]))
    total = found[found["level"] == "total"].set_index("horizon")["units_mean"]
    by_category = found[found["level"] == "category"].groupby("horizon")["units_mean"].sum()
    by_product = given.groupby("horizon")["units_mean"].sum()
    for summed in (by_category, by_product):
        np.testing.assert_allclose(total, summed, rtol=1e-12)
    assert (found["units_p10"] <= found["units_p50"]).all()
    assert (found["units_p50"] <= found["units_p90"]).all()
    assert np.isfinite(found[UNITS].to_numpy()).all()
