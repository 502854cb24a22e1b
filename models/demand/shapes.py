"""What the histories of many products have in common, and each history with its noise taken out by it.

A truncated singular value decomposition (Eckart and Young 1936; randomised: Halko, Martinsson and Tropp 2011) of the
histories divided by their means: a product is then some mixture of a few shapes, which one odd period does not move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from models.demand.history import YEAR, Block, Floats
from models.demand.parts import chunks, some
from models.demand.spikes import capped

MOST_SHAPES = 20
PERIODS_A_SHAPE = 5
"""Periods of history for each shape, at least."""
MOST_LEARNT_FROM = 20_000
"""Products that the shapes are found in."""
SMALLEST_MEAN = 1e-3


@dataclass(frozen=True)
class Shapes:
    """The mean course of a product's units by its mean, and the directions that products differ in."""

    course: Floats
    """[T] the latest period first."""
    directions: Floats
    """[k, T] orthonormal."""

    def smoothed(self, units: Floats, age: NDArray[np.int64]) -> Floats:
        """[n, T] of the [n, L] units: each product as a mixture of the shapes, none below zero."""
        scaled, mean = _scaled(units, age, len(self.course))
        mixture = (scaled - self.course) @ self.directions.T
        return np.asarray(np.maximum(mixture @ self.directions + self.course, 0.0) * mean, np.float32)


def common_shapes(block: Block, caps: Floats, period_days: int, seed: int = 7) -> Shapes:
    """The shapes of up to two years of the block's histories, whose units count up to their product's cap ([n, 1]).

    Products weigh by their mean, as they do in the sum of all. A store of few products has fewer shapes, or none.
    """
    length = min(block.units.shape[1], 2 * YEAR[period_days])
    rows = some(len(block), MOST_LEARNT_FROM, [seed])
    scaled, mean = np.zeros((len(rows), length), np.float32), np.zeros((len(rows), 1), np.float32)
    for part in chunks(len(rows)):
        own = rows[part]
        scaled[part], mean[part] = _scaled(capped(block.units[own], caps[own]), block.age[own], length)
    course = np.average(scaled, axis=0, weights=mean[:, 0]) if len(rows) else np.ones(length, np.float32)
    count = min(MOST_SHAPES, length // PERIODS_A_SHAPE, len(rows) // 2)
    if count < 1:
        return Shapes(course.astype(np.float32), np.zeros((0, length), np.float32))
    weighed = (scaled - course) * np.sqrt(mean)
    directions = randomized_svd(weighed, count, n_iter=2, random_state=seed)[2]
    return Shapes(course.astype(np.float32), directions.astype(np.float32))


def _scaled(units: Floats, age: NDArray[np.int64], length: int) -> tuple[Floats, Floats]:
    """[n, T] units by the product's mean since its first sale, 1 before it, and the [n, 1] means."""
    units = units[:, :length]
    is_inside = np.arange(length)[None] < age[:, None]
    mean = (units * is_inside).sum(axis=1, keepdims=True) / np.clip(age, 1, length)[:, None]
    mean = np.maximum(mean, SMALLEST_MEAN).astype(np.float32)
    return np.where(is_inside, units / mean, 1.0).astype(np.float32), mean
