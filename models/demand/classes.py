"""Demand classes: how regular a series is, by how often it sells and how much at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.demand.parts import chunks

CLASSES = ("smooth", "erratic", "intermittent", "lumpy")
INTERVAL = 1.32
"""Mean periods between sales from which demand is intermittent."""
VARIATION = 0.49
"""Squared coefficient of variation of the sizes from which it is erratic, or lumpy."""
WINDOW = 104
"""Periods looked back on, at most."""


def demand_classes(units: NDArray[np.floating], age: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n] places in CLASSES, after Syntetos, Boylan and Croston (2005).

    units: [n, L] the latest period first. age: [n] periods since the first sale. A series that never sold is lumpy.
    """
    found = [_classes(units[rows, :WINDOW], age[rows]) for rows in chunks(len(units))]
    return np.concatenate([np.zeros(0, np.int64), *found])


def _classes(units: NDArray[np.floating], age: NDArray[np.int64]) -> NDArray[np.int64]:
    selling = units > 0
    times = selling.sum(axis=1)
    counted = np.maximum(times, 1)
    gap = np.minimum(age, units.shape[1]) / counted
    mean = units.sum(axis=1, dtype=np.float64) / counted
    spread = (units.astype(np.float64) ** 2).sum(axis=1) / counted - mean**2
    is_varied = spread > VARIATION * mean**2
    found = np.where(gap < INTERVAL, 0, 2) + is_varied
    return np.where(times > 0, found, len(CLASSES) - 1).astype(np.int64)
