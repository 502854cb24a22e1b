"""Calibration of margins: Platt (1999), with the targets and Newton steps of Lin, Lin and Weng (2007)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEWEST = 20
"""Positives under which the margins are left as they are: a slope from so few is worse than none."""


class Platt(NamedTuple):
    """probability = sigmoid(slope * margin + intercept)."""

    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, margin: Floats) -> Floats:
        """[n] margins -> [n] probabilities, never exactly 0 or 1."""
        return _sigmoid(self.slope * margin + self.intercept)


def fit_platt(margin: Floats, is_positive: NDArray[np.bool_], steps: int = 50) -> Platt:
    """The slope and intercept of least log loss on smoothed targets; the identity where there are under 20 of a kind.

    A slope that is not positive would turn the ranking around: then only the intercept is fitted.
    """
    positives = int(is_positive.sum())
    negatives = len(margin) - positives
    if min(positives, negatives) < FEWEST:
        return Platt()
    target = np.where(is_positive, (positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0))
    found = _newton(np.stack([margin, np.ones(len(margin))], axis=1), target, np.zeros(len(margin)), steps)
    if found[0] > 0:
        return Platt(float(found[0]), float(found[1]))
    return Platt(1.0, float(_newton(np.ones((len(margin), 1)), target, margin, steps)[0]))


def _newton(design: Floats, target: Floats, offset: Floats, steps: int) -> Floats:
    """Coefficients of a logistic regression on [n, k] by damped Newton steps; the loss never rises."""
    beta = np.zeros(design.shape[1])
    beta[0] = 1.0 if design.shape[1] > 1 else 0.0
    loss = _loss(design @ beta + offset, target)
    for _ in range(steps):
        guess = _sigmoid(design @ beta + offset)
        weight = np.maximum(guess * (1.0 - guess), 1e-12)
        hessian = design.T @ (design * weight[:, None]) + 1e-9 * np.eye(design.shape[1])
        step = np.linalg.solve(hessian, design.T @ (target - guess))
        size = 1.0
        while size > 1e-6 and _loss(design @ (beta + size * step) + offset, target) > loss:
            size /= 2.0
        beta = beta + size * step
        before, loss = loss, _loss(design @ beta + offset, target)
        if before - loss < 1e-10 * max(before, 1.0):
            break
    return beta


def _loss(margin: Floats, target: Floats) -> float:
    return float(np.sum(np.logaddexp(0.0, margin) - target * margin))


def _sigmoid(margin: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(margin, -30.0, 30.0))), dtype=np.float64)
