"""What several parts say together: one probability of each intent, and how certain it is that the guess is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.support.parts import Floats, View

LEFT_OUT = 0.2
"""Share of the tickets, at most, whose intents the calibrating parts are kept from: they stand for what is new."""
UNSEEN_SHARE = 0.1
"""Share of tickets of a new kind, at most, that the threshold is set for."""
UNSEEN_WEIGHT = 3.0
"""Of these tickets when certainty is learnt, so that it tells first of all what is new."""
FEWEST_INTENTS = 5
"""Intents under which none is left out."""
FEWEST_WRONG = 5
"""Wrong guesses, and right ones, under which certainty is the probability alone."""
START, MOST, SHRINK = 1.0, 50.0, 1e-3
"""Of the weights of logits: where the search starts, the greatest, and the price of their squares."""


@dataclass
class Stack:
    """A weight for each part's logits; certainty is a logistic regression on the `signs` of a guess.

    certainty: intercept, then a coefficient a sign; none: the probability itself.
    """

    weights: list[float] = field(default_factory=list)
    certainty: list[float] = field(default_factory=list)

    def fit(self, views: Sequence[View], labels: NDArray[np.int64]) -> Stack:
        """From texts that the parts have not learnt from. labels [n]: places of the intents; -1: an unseen one.

        Weights: those of least log loss where the intent is known (stacking, Wolpert 1992). Certainty: of a right
        guess, where a guess of an unseen intent is wrong (Platt 1999).
        """
        known = labels >= 0
        self.weights = _weights([view.logits[known] for view in views], labels[known])
        right = self.logits(views).argmax(axis=1) == labels
        self.certainty = []
        if min(right.sum(), (~right).sum()) >= FEWEST_WRONG:
            self.certainty = _certainty(self.signs(views), right, labels)
        return self

    def logits(self, views: Sequence[View]) -> Floats:
        """[n, C]."""
        return np.asarray(sum(weight * view.logits for weight, view in zip(self.weights, views, strict=True)))

    def signs(self, views: Sequence[View]) -> Floats:
        """[n, 2 + parts that compare]: log-odds of the guess, its logit, and how like it is to a text learnt from."""
        logits = self.logits(views)
        top = logits.max(axis=1)
        rest = logits.copy()
        rest[np.arange(len(top)), logits.argmax(axis=1)] = -np.inf
        odds = top - _log_sum(rest) if logits.shape[1] > 1 else np.zeros(len(top))
        return np.column_stack([odds, top, *(view.likeness for view in views if view.likeness is not None)])

    def certain(self, views: Sequence[View]) -> Floats:
        """[n] the probability that the guess is right where tickets may be of an unseen kind."""
        signs = self.signs(views)
        if not self.certainty:
            return np.asarray(1.0 / (1.0 + np.exp(-signs[:, 0])))
        return np.asarray(1.0 / (1.0 + np.exp(-(self.certainty[0] + signs @ np.asarray(self.certainty[1:])))))


def unseen_intents(labels: NDArray[np.object_], seed: int) -> list[str]:
    """Intents, drawn, that together have at most a fifth of the tickets; none where there are fewer than five."""
    names, counts = np.unique(labels.astype(str), return_counts=True)
    if len(names) < FEWEST_INTENTS:
        return []
    room, found = LEFT_OUT * counts.sum(), []
    for place in np.random.default_rng(seed).permutation(len(names)):
        if counts[place] <= room:
            room -= counts[place]
            found.append(str(names[place]))
    return sorted(found)


def softmax(logits: Floats) -> Floats:
    """[n, C] -> [n, C], rows that sum to 1."""
    return np.asarray(np.exp(logits - _log_sum(logits)[:, None]))


def _weights(logits: list[Floats], labels: NDArray[np.int64]) -> list[float]:
    from scipy.optimize import minimize

    scale = [max(float(part.std()), 1e-6) for part in logits]
    parts = [part / size for part, size in zip(logits, scale, strict=True)]
    rows = np.arange(len(labels))

    def loss(weights: Floats) -> tuple[float, Floats]:
        mixed = np.asarray(sum(weight * part for weight, part in zip(weights, parts, strict=True)))
        share = softmax(mixed)
        value = -np.log(np.maximum(share[rows, labels], 1e-12)).mean() + SHRINK * float(weights @ weights)
        slope = [(share * part).sum(axis=1).mean() - part[rows, labels].mean() for part in parts]
        return value, np.asarray(slope) + 2 * SHRINK * weights

    start = np.full(len(parts), START)
    if not len(labels):
        return [float(one / size) for one, size in zip(start, scale, strict=True)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, MOST)] * len(parts)).x
    return [float(one / size) for one, size in zip(found, scale, strict=True)]


def share_of_unseen(labels: NDArray[np.int64]) -> Floats:
    """[n] the weights with which unseen intents (-1) are a tenth of all, where they are more."""
    unseen = int((labels < 0).sum())
    most = UNSEEN_SHARE / (1.0 - UNSEEN_SHARE) * (len(labels) - unseen)
    return np.where(labels < 0, min(1.0, most / max(unseen, 1)), 1.0)


def _certainty(signs: Floats, right: NDArray[np.bool_], labels: NDArray[np.int64]) -> list[float]:
    """Intercept and coefficients: a direction that tells first of all what is new, then probabilities along it."""
    middle, spread = signs.mean(axis=0), np.maximum(signs.std(axis=0), 1e-9)
    _, slope = _platt((signs - middle) / spread, right, np.where(labels < 0, UNSEEN_WEIGHT, 1.0))
    slope = slope / spread
    intercept, scale = _platt((signs @ slope)[:, None], right, share_of_unseen(labels))
    return [intercept, *(float(one) for one in scale[0] * slope)]


def _platt(signs: Floats, right: NDArray[np.bool_], weight: Floats) -> tuple[float, Floats]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0).fit(signs, right, sample_weight=weight)
    return float(model.intercept_[0]), np.asarray(model.coef_[0], dtype=np.float64)


def _log_sum(logits: Floats) -> Floats:
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)))
