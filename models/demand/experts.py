"""Several forecasts of one thing averaged: how far each demand class' median is drawn towards every other forecast.

Averages with weights from later outcomes beat the best single forecast more often than not (Bates and Granger 1969;
Makridakis, Spiliotis and Assimakopoulos 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.demand.classes import CLASSES
from models.demand.history import Floats

STEP = 0.1
LARGEST = 0.9
"""Of all shares together: the median keeps the rest."""
FEWEST = 200
"""Outcomes of a class under which its median stays alone."""


class Seen(NamedTuple):
    """What a model said at one cut-off beside what came, of the h periods that have ended."""

    bands: Floats
    """[n, h, 3]"""
    experts: Floats
    """[n, h, E] other forecasts, NaN where there is none."""
    came: Floats
    """[n, h] NaN where nobody can know."""
    level: Floats
    """[n]"""
    classes: NDArray[np.int64]
    """[n]"""


def drawn_towards(values: Floats, middle: Floats, experts: Floats, weights: NDArray[np.float64]) -> Floats:
    """[n, H, k] values moved from the [n, H] middle towards the [n, H, E] experts by [n, E] weights.

    An expert that says nothing of a product moves it nowhere.
    """
    way = (np.nan_to_num(experts - middle[..., None]) * weights[:, None, :]).sum(axis=2)
    return np.asarray(values + way[..., None], np.float32)


def best_weights(seen: Sequence[Seen], count: int, power: float) -> NDArray[np.float64]:
    """[C, E] the shares of the experts that each class' median errs least with; a row weighs level ** (power - 1)."""
    steps = np.arange(round(LARGEST / STEP) + 1)
    tried = np.array([shares for shares in product(steps, repeat=count) if sum(shares) <= steps[-1]]) * STEP  # [W, E]
    errors, counts = np.zeros((len(CLASSES), len(tried))), np.zeros(len(CLASSES))
    for one in seen:
        middle, scale = one.bands[..., 1], one.level.astype(np.float64) ** (power - 1.0)
        counts += np.bincount(one.classes, np.isfinite(one.came).sum(axis=1), minlength=len(CLASSES))
        ways = np.nan_to_num(one.experts - middle[..., None])
        for place, shares in enumerate(tried):
            error = np.nansum(np.abs(one.came - middle - ways @ shares.astype(np.float32)), axis=1) * scale
            errors[:, place] += np.bincount(one.classes, error, minlength=len(CLASSES))
    return np.where((counts >= FEWEST)[:, None], tried[errors.argmin(axis=1)], 0.0)
