"""Calibration of margins: none, a shift, Platt's two numbers, isotonic or Venn-Abers, whichever a later window proves.

Platt (1999) with the targets and Newton steps of Lin, Lin and Weng (2007); isotonic of Zadrozny and Elkan (2002);
inductive Venn-Abers of Vovk and Petej (2014), its pair of probabilities put together as p1 / (1 - p0 + p1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEWEST = 20
"""Positives under which the margins are left as they are: a slope from so few is worse than none."""
FEWEST_FOR_TABLE = 200
"""Positives under which no step function is tried."""
SURE = 2.0
"""Standard errors by which a calibration has to be better than none."""
KNOTS = 100
"""Margins at which Venn-Abers is computed, quantiles; in between it is interpolated."""
_SLOPE = 1e-4  # how much of the plain sigmoid a step function keeps, so that it ties no two margins


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
    return Platt(1.0, _shift(margin, target))


IDENTITY = Platt()


@dataclass(frozen=True)
class Calibration:
    """From margins to probabilities, never turning two of them around."""

    kind: str = "none"
    platt: Platt = IDENTITY
    margins: tuple[float, ...] = ()
    """[K] knots of a step function, ascending; none for the kinds that are two numbers."""
    probabilities: tuple[float, ...] = ()
    """[K] what it gives there, ascending."""

    def probability(self, margin: Floats) -> Floats:
        """[n] margins -> [n] probabilities, never exactly 0 or 1."""
        if not self.margins:
            return self.platt.probability(margin)
        steps = np.interp(margin, self.margins, self.probabilities)
        return np.asarray((1.0 - _SLOPE) * steps + _SLOPE * _sigmoid(margin))


def fit_none(margin: Floats, is_positive: NDArray[np.bool_]) -> Calibration:
    """The margins as they are."""
    return Calibration()


def fit_prior(margin: Floats, is_positive: NDArray[np.bool_]) -> Calibration:
    """A shift alone: the base rate has changed (Saerens, Latinne and Decaestecker 2002)."""
    if is_positive.all() or not is_positive.any():
        return Calibration()
    return Calibration("prior", Platt(1.0, _shift(margin, is_positive.astype(np.float64))))


def fit_slope(margin: Floats, is_positive: NDArray[np.bool_]) -> Calibration:
    """Platt's slope and intercept."""
    return Calibration("platt", fit_platt(margin, is_positive))


def fit_isotonic(margin: Floats, is_positive: NDArray[np.bool_]) -> Calibration:
    """The ascending step function of least squared error."""
    from sklearn.isotonic import IsotonicRegression

    found = IsotonicRegression(y_min=0.0, y_max=1.0).fit(margin, is_positive.astype(np.float64))
    return Calibration("isotonic", Platt(), _floats(found.X_thresholds_), _floats(found.y_thresholds_))


def fit_venn_abers(margin: Floats, is_positive: NDArray[np.bool_]) -> Calibration:
    """At each knot, the isotonic fits with the knot as a negative and as a positive."""
    from sklearn.isotonic import isotonic_regression

    order = np.argsort(margin, kind="stable")
    ordered, target = margin[order], is_positive[order].astype(np.float64)
    knots = np.unique(np.quantile(ordered, np.linspace(0.0, 1.0, KNOTS), method="nearest"))
    low, high = np.zeros(len(knots)), np.zeros(len(knots))
    for k, place in enumerate(np.searchsorted(ordered, knots)):
        low[k], high[k] = (isotonic_regression(np.insert(target, place, label))[place] for label in (0.0, 1.0))
    merged = np.maximum.accumulate(high / (1.0 - low + high))
    return Calibration("venn_abers", Platt(), _floats(knots), _floats(merged))


class Window(NamedTuple):
    """Payments of some days, with the margins of trees that were grown before them."""

    margin: Floats
    is_positive: NDArray[np.bool_]

    @property
    def rarer(self) -> int:
        """How many there are of the rarer kind."""
        positives = int(self.is_positive.sum())
        return min(positives, len(self.is_positive) - positives)


def fit_calibration(earlier: Window, later: Window) -> tuple[Calibration, dict[str, float]]:
    """The kind that would have served best, fitted on the later window, and the mean log loss of each kind.

    Each kind is fitted on the earlier window and judged on the later one, on the margins of trees that were grown anew
    in between: just as what is fitted on the later window will be applied to trees that have seen that window too. A
    kind has to be better than none by more than two standard errors of the difference: what is noise, or does not
    carry over, costs more than nothing.
    """
    fewest = min(earlier.rarer, later.rarer)
    if fewest < FEWEST:
        return Calibration(), {}
    fits = dict(FITS if fewest >= FEWEST_FOR_TABLE else FITS[:3])
    losses = {}
    for name, fit in fits.items():
        given = fit(*earlier).probability(later.margin)
        losses[name] = -np.log(np.where(later.is_positive, given, 1.0 - given))
    best = min(losses, key=lambda name: float(losses[name].mean()))
    gain = losses["none"] - losses[best]
    if gain.mean() <= SURE * gain.std() / np.sqrt(len(gain)):
        best = "none"
    return fits[best](*later), {name: float(loss.mean()) for name, loss in losses.items()}


def reliability(windows: Sequence[Window], bins: int = 10) -> list[list[float]]:
    """Mean probability of the margins, share of positives and payments, by bins of equally many payments."""
    margin = np.concatenate([window.margin for window in windows])
    positive = np.concatenate([window.is_positive for window in windows])
    parts = np.array_split(np.argsort(margin, kind="stable"), bins)
    given = _sigmoid(margin)
    return [[float(given[part].mean()), float(positive[part].mean()), float(len(part))] for part in parts if len(part)]


Fit = Callable[[Floats, NDArray[np.bool_]], Calibration]
FITS: tuple[tuple[str, Fit], ...] = (
    ("none", fit_none),
    ("prior", fit_prior),
    ("platt", fit_slope),
    ("venn_abers", fit_venn_abers),
    ("isotonic", fit_isotonic),
)
"""Every kind, the simplest first."""


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _shift(margin: Floats, target: Floats) -> float:
    return float(_newton(np.ones((len(margin), 1)), target, margin, 50)[0])


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
