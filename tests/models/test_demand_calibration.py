"""Demand classes by hand, and bands that cover what they say once they are calibrated."""

from __future__ import annotations

import numpy as np
import pytest

from models.demand.calibration import FEWEST, Calibration, Outcomes
from models.demand.classes import CLASSES, demand_classes


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([5, 6, 5, 4, 5, 6, 5, 5], "smooth"),
        ([1, 20, 1, 1, 15, 1, 1, 30], "erratic"),
        ([5, 0, 0, 5, 0, 6, 0, 0], "intermittent"),
        ([1, 0, 0, 30, 0, 1, 0, 0], "lumpy"),
        ([0] * 8, "lumpy"),
    ],
)
def test_classes_by_hand(units: list[int], expected: str) -> None:
    found = demand_classes(np.array([units], np.float32), np.array([len(units)]))
    assert CLASSES[found[0]] == expected


def test_periods_before_the_first_sale_are_no_gaps() -> None:
    units = np.array([[5, 6, 5, 4, 0, 0, 0, 0]], np.float32)
    assert CLASSES[demand_classes(units, np.array([4]))[0]] == "smooth"


def outcomes(seed: int, products: int = 20_000, horizon: int = 2) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    level, classes = random.gamma(2.0, 5.0, products).astype(np.float32), random.integers(0, len(CLASSES), products)
    width = 0.2 + 0.2 * classes[:, None] + 0.3 * np.arange(horizon)[None]
    came = level[:, None] * np.maximum(1.0 + width * random.normal(size=(products, horizon)), 0.0)
    narrow = level[:, None, None] * np.broadcast_to([0.95, 1.0, 1.05], (products, horizon, 3))
    return narrow.astype(np.float32), came.astype(np.float32), level, classes


def test_a_narrow_band_covers_after_calibration_in_each_class_and_horizon() -> None:
    found = Outcomes(2)
    found.add(*outcomes(1))
    calibration = found.calibration(0.1, 0.9)
    bands, came, level, classes = outcomes(2)
    moved = calibration.moved(bands, level, classes)
    inside = (came >= moved[..., 0]) & (came <= moved[..., 2])
    for place in range(len(CLASSES)):
        np.testing.assert_allclose(inside[classes == place].mean(axis=0), 0.8, atol=0.03)
    assert (np.diff(moved, axis=-1) >= 0).all() and (moved >= 0).all()
    np.testing.assert_array_equal(moved[..., 1], bands[..., 1])


def test_of_too_few_outcomes_all_are_asked_and_of_none_nothing_moves() -> None:
    bands, came, level, classes = outcomes(3, products=FEWEST)
    found = Outcomes(2)
    found.add(bands, came, level, np.zeros_like(classes))
    shifts = found.calibration(0.1, 0.9).shifts
    np.testing.assert_array_equal(shifts[1, 0], shifts[2, 1])
    assert not Outcomes(2).calibration(0.1, 0.9).shifts.any()


def test_an_end_stops_at_the_median() -> None:
    crossing = Calibration(np.full((len(CLASSES), 1, 2), [5.0, -5.0]))
    bands = np.array([[[1.0, 2.0, 3.0]]], np.float32)
    assert crossing.moved(bands, np.ones(1, np.float32), np.zeros(1, np.int64)).tolist() == [[[2.0, 2.0, 2.0]]]
