"""Last year's sales moved to this year's level, and how far each demand class should be drawn towards them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.demand.classes import CLASSES
from models.demand.design import recent_level, without_spikes
from models.demand.history import YEAR, Block, Floats
from models.demand.season import LAST_YEARS_LEVEL

WEIGHTS = np.arange(0.0, 0.95, 0.1)
"""Shares of last year that are tried."""
FEWEST = 200
"""Outcomes of a class under which last year has no share."""
LARGEST_GROWTH = 2.0


class Seen(NamedTuple):
    """What a model said at one cut-off beside what came, of the h periods that have ended."""

    bands: Floats
    """[n, h, 3]"""
    last_year: Floats
    """[n, h] NaN where there is none."""
    came: Floats
    """[n, h] NaN where it is unknown."""
    level: Floats
    """[n]"""
    classes: NDArray[np.int64]
    """[n]"""


def last_year(block: Block, horizon: int, period_days: int) -> Floats:
    """[n, H] units of the same period a year ago by the growth since, NaN for products younger than that."""
    year, recent = YEAR[period_days], LAST_YEARS_LEVEL[period_days]
    level = 0.2 * recent_level(block, period_days)
    units = without_spikes(block).units
    now, before = units[:, :recent].mean(axis=1), units[:, year : year + recent].mean(axis=1)
    growth = np.clip((now + level) / (before + level), 1.0 / LARGEST_GROWTH, LARGEST_GROWTH)
    found = units[:, year - np.arange(1, horizon + 1)] * growth[:, None]
    return np.where(block.age[:, None] > year + recent, found, np.nan).astype(np.float32)


def drawn_towards(values: Floats, middle: Floats, towards: Floats, weight: NDArray[np.float64]) -> Floats:
    """[n, H, k] values moved by weight times the way from the [n, H] middle to `towards`, where that is known."""
    way = np.nan_to_num(towards - middle) * weight[:, None]
    return np.asarray(values + way[..., None], np.float32)


def best_weights(seen: Sequence[Seen], power: float) -> NDArray[np.float64]:
    """[C] the share of last year that each class' median errs least with; a row weighs level ** (power - 1)."""
    errors, counts = np.zeros((len(CLASSES), len(WEIGHTS))), np.zeros(len(CLASSES))
    for one in seen:
        middle, scale = one.bands[..., 1], one.level.astype(np.float64) ** (power - 1.0)
        counts += np.bincount(one.classes, (~np.isnan(one.came)).sum(axis=1), minlength=len(CLASSES))
        for place, weight in enumerate(WEIGHTS):
            moved = drawn_towards(middle[..., None], middle, one.last_year, np.full(len(middle), weight))[..., 0]
            error = np.nansum(np.abs(one.came - moved), axis=1) * scale
            errors[:, place] += np.bincount(one.classes, error, minlength=len(CLASSES))
    return np.where(counts >= FEWEST, WEIGHTS[errors.argmin(axis=1)], 0.0)
