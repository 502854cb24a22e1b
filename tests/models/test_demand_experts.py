"""Forecasts averaged by what each demand class errs least with, and last year at this year's level."""

from __future__ import annotations

import numpy as np
import pytest

from models.demand.experts import Seen, best_weights, drawn_towards
from models.demand.history import YEAR
from models.demand.season import aligned_years, last_year


def test_the_same_week_a_year_ago_by_the_growth_since() -> None:
    aligned = aligned_years(np.datetime64("2015-06-01"), 2, 7, None)
    units, level = np.full((1, 104), 10.0, np.float32), np.array([15.0], np.float32)
    units[0, :52] = 15.0  # half as much again since the year began
    units[0, YEAR[7] - 1] = 12.0  # a year before the first week ahead
    found = last_year(units, np.array([110]), level, aligned, 7)
    assert found[0, 0] == pytest.approx(12.0 * (15.0 + 1.5) / (10.0 + 1.5), rel=1e-5)
    assert found[0, 1] == pytest.approx(15.0 * (15.0 + 1.5) / (10.0 + 1.5), rel=1e-5)
    assert np.isnan(last_year(units, np.array([55]), level, aligned, 7)).all()


def test_a_class_that_repeats_itself_is_drawn_towards_last_year_and_another_is_not() -> None:
    random = np.random.default_rng(1)
    classes = np.repeat([0, 3], 300)
    said, other, ago = (random.normal(100.0, 20.0, (600, 2)).astype(np.float32) for _ in range(3))
    came = np.where(classes[:, None] == 0, ago, said)
    bands = np.stack([said - 10.0, said, said + 10.0], axis=-1)
    seen = Seen(bands, np.stack([other, ago], axis=-1), came, np.full(600, 100.0, np.float32), classes)
    weights = best_weights([seen], 2, 0.5)
    assert weights.round(1).tolist() == [[0.0, 0.9], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]


def test_two_forecasts_with_errors_of_their_own_are_averaged() -> None:
    random = np.random.default_rng(2)
    came = random.normal(100.0, 20.0, (500, 2)).astype(np.float32)
    said, other = (came + random.normal(0.0, 10.0, came.shape).astype(np.float32) for _ in range(2))
    bands = np.stack([said - 10.0, said, said + 10.0], axis=-1)
    seen = Seen(bands, other[..., None], came, np.full(500, 100.0, np.float32), np.zeros(500, np.int64))
    assert best_weights([seen], 1, 0.5)[0, 0] == pytest.approx(0.5, abs=0.11)


def test_what_has_no_last_year_stays_and_the_band_moves_with_its_median() -> None:
    bands = np.array([[[1.0, 2.0, 4.0]], [[1.0, 2.0, 4.0]]], np.float32)
    towards = np.array([[[6.0]], [[np.nan]]], np.float32)
    moved = drawn_towards(bands, bands[..., 1], towards, np.array([[0.5], [0.5]]))
    assert moved.tolist() == [[[3.0, 4.0, 6.0]], [[1.0, 2.0, 4.0]]]
