"""New products borrow from their category and from what was launched lately."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.demand import XGBoostQuantiles
from models.demand.history import Block
from models.demand.launches import borrowed
from models.demand.lessons import Lesson


def shop(units: np.ndarray, category: list[str | None], age: np.ndarray, as_of: str = "2015-06-01") -> Block:
    dense = np.zeros((len(units), 110), np.float32)
    dense[:, : units.shape[1]] = units
    first = np.datetime64(as_of) - age * np.timedelta64(7, "D")
    products = pd.DataFrame({"product_id": [f"p{place:03}" for place in range(len(units))], "category": category})
    sold = dense.any(axis=1)
    products["first_sold_on"] = pd.Series(first).where(sold)
    products["last_sold_on"] = pd.Series(np.full(len(units), np.datetime64(as_of) - 1)).where(sold)
    products["avg_price_4"] = np.nan
    return Block(np.datetime64(as_of), products, dense, np.zeros_like(dense), np.where(sold, age, 1))


def test_means_of_the_category_and_of_launches() -> None:
    units = np.array([[4.0] * 20, [8.0] * 4 + [0.0] * 16, [2.0] * 20, [0.0] * 20, [6.0] * 20])
    block = shop(units, ["a", "a", "b", "a", None], np.array([20, 4, 20, 1, 20]))
    found = borrowed(block, np.full((5, 1), np.inf, np.float32), 7)
    assert found[3].tolist() == [6.0, 8.0]  # a's two that sold, and its launch
    assert found[2, 0] == 2.0
    assert np.isnan(found[2, 1])
    assert np.isnan(found[4]).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_product_that_never_sold_is_expected_to_sell_as_launches_of_its_category_did(seed: int) -> None:
    random = np.random.default_rng(seed)
    rates = {"much": 40.0, "little": 2.0}

    def at(cut: int) -> tuple[Block, np.ndarray]:
        names = ["much", "little"] * 40
        age = np.array([0, 0] * 10 + [8, 8] * 15 + [60, 60] * 15)
        units = np.zeros((80, 110), np.float32)
        for place, name in enumerate(names):
            units[place, : age[place]] = random.poisson(rates[name], age[place])
        came = np.stack([random.poisson(rates[name], 4) for name in names]).astype(np.float32)
        as_of = np.datetime64("2015-06-01") + 7 * cut
        return shop(units, list(names), np.maximum(age, 1), str(as_of)), came

    model = XGBoostQuantiles(horizon=4, period_days=7, threads=1)
    model.learn([Lesson(*at(cut), 4 + 12 - cut) for cut in range(12)])
    block, _ = at(20)
    median = model.forecast(block).p50[:20]  # those that never sold
    assert median[::2].mean() == pytest.approx(40.0, rel=0.25)
    assert median[1::2].mean() < median[::2].mean() / 2  # few rows: leaves of twenty still mix both
