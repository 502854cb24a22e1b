"""Last year at this year's level, and the share of it that a demand class is given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.demand.history import YEAR, Block
from models.demand.last_year import Seen, best_weights, drawn_towards, last_year


def block(units: np.ndarray, age: int = 110) -> Block:
    dense = np.zeros((len(units), 110), np.float32)
    dense[:, : units.shape[1]] = units
    products = pd.DataFrame({"product_id": [f"p{place}" for place in range(len(units))]})
    return Block(np.datetime64("2015-06-01"), products, dense, dense, np.full(len(units), age))


def test_the_same_week_a_year_ago_by_the_growth_since() -> None:
    units = np.full((1, 110), 10.0)
    units[0, :52] = 15.0  # half as much again since the year began
    units[0, YEAR[7] - 1] = 12.0  # a year before the first week ahead
    found = last_year(block(units), 2, 7)
    assert found[0, 0] == pytest.approx(12.0 * (15.0 + 3.0) / (10.0 + 3.0), rel=1e-5)
    assert found[0, 1] == pytest.approx(15.0 * (15.0 + 3.0) / (10.0 + 3.0), rel=1e-5)
    assert np.isnan(last_year(block(units, age=55), 2, 7)).all()


def test_a_class_that_repeats_itself_is_drawn_towards_last_year_and_another_is_not() -> None:
    random = np.random.default_rng(1)
    classes = np.repeat([0, 3], 300)
    said = random.normal(100.0, 20.0, (600, 2)).astype(np.float32)
    ago = random.normal(100.0, 20.0, (600, 2)).astype(np.float32)
    came = np.where(classes[:, None] == 0, ago, said)
    bands = np.stack([said - 10.0, said, said + 10.0], axis=-1)
    weights = best_weights([Seen(bands, ago, came, np.full(600, 100.0, np.float32), classes)], 0.5)
    assert weights.round(1).tolist() == [0.9, 0.0, 0.0, 0.0]


def test_what_has_no_last_year_stays_and_the_band_moves_with_its_median() -> None:
    bands = np.array([[[1.0, 2.0, 4.0]], [[1.0, 2.0, 4.0]]], np.float32)
    towards = np.array([[6.0], [np.nan]], np.float32)
    moved = drawn_towards(bands, bands[..., 1], towards, np.array([0.5, 0.5]))
    assert moved.tolist() == [[[3.0, 4.0, 6.0]], [[1.0, 2.0, 4.0]]]
