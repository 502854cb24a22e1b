"""Conformal calibration of the band: so that as many outcomes fall below and above it as it says.

Conformalised quantile regression (Romano, Patterson and Candes 2019), each side for itself, by demand class and
horizon (Mondrian), on the newest cut-offs that the judged model had not seen, fitted anew each time that the model is:
so it follows a drift. It holds on average over what is exchangeable with those cut-offs, not for a single product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.demand.classes import CLASSES
from models.demand.history import Floats

FEWEST = 200
"""Outcomes of a class and horizon that are believed; of fewer, those of the class, then of all."""


@dataclass
class Calibration:
    """Moves of the band's ends, by the product's level."""

    shifts: NDArray[np.float64]
    """[C, H, 2] added to the lower and to the upper quantile."""

    def moved(self, bands: Floats, level: Floats, classes: NDArray[np.int64]) -> Floats:
        """[n, H, 3] quantiles with their ends moved and none below zero, in order.

        The median stays: where an end would cross it, the end stops there.
        """
        by = self.shifts[classes] * level[:, None, None]  # [n, H, 2]
        middle = bands[..., 1]
        low = np.minimum(bands[..., 0] + by[..., 0], middle)
        high = np.maximum(bands[..., 2] + by[..., 1], middle)
        return np.asarray(np.maximum(np.stack([low, middle, high], axis=-1), 0.0), np.float32)


class Outcomes:
    """What came beside what a model had said, gathered to calibrate it."""

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats]] = []

    def add(self, bands: Floats, came: Floats, level: Floats, classes: NDArray[np.int64]) -> None:
        """One cut-off's. bands: [n, h, 3]; came: [n, h] of the h periods that have ended, NaN where it is unknown."""
        over = (came[..., None] - bands[..., [0, 2]]) / level[:, None, None]
        steps, known = np.broadcast_to(np.arange(came.shape[1]), came.shape), ~np.isnan(came)
        self._parts.append((np.repeat(classes, known.sum(axis=1)), steps[known], over[known]))

    def calibration(self, low: float, high: float) -> Calibration:
        """The moves after which a share `low` of the outcomes lies below the band and 1 - high above."""
        shifts = np.zeros((len(CLASSES), self.horizon, 2))
        if not self._parts:
            return Calibration(shifts)
        classes, steps, over = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        everywhere = _ends(over, low, high)
        for place in range(len(CLASSES)):
            own = classes == place
            of_class = _ends(over[own], low, high) if own.sum() >= FEWEST else everywhere
            for step in range(self.horizon):
                here = over[own & (steps == step)]
                shifts[place, step] = _ends(here, low, high) if len(here) >= FEWEST else of_class
        return Calibration(shifts)


def _ends(over: Floats, low: float, high: float) -> NDArray[np.float64]:
    """[2] moves: the quantiles of how far outcomes lay above each end."""
    return np.array([np.quantile(over[:, 0], low), np.quantile(over[:, 1], high)])
