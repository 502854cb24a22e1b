"""A linear model over sparse vectors, with calibrated probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
TEMPERATURES = np.geomspace(0.5, 30.0, 60)
"""Candidates of the factor on the margins."""


@dataclass
class Linear:
    """Margins [n, C] of each class against all others; probabilities by softmax of `temperature` times the margins."""

    classes: list[str]
    weights: NDArray[np.float32]  # [C, V]
    intercepts: NDArray[np.float32]  # [C]
    temperature: float = 3.0

    def margins(self, vectors: sparse.csr_array) -> Floats:
        """[n, V] -> [n, C]."""
        return np.asarray(vectors @ self.weights.T + self.intercepts, dtype=np.float64)

    def probabilities(self, vectors: sparse.csr_array) -> Floats:
        """[n, V] -> [n, C], rows that sum to 1."""
        return np.exp(_log_softmax(self.temperature * self.margins(vectors)))

    def calibrate(self, vectors: sparse.csr_array, labels: NDArray[Any]) -> None:
        """Choose the temperature of least log loss on vectors not learnt from (Guo et al. 2017)."""
        place = {label: at for at, label in enumerate(self.classes)}
        known = np.array([label in place for label in labels], dtype=bool)
        if not known.any():
            return
        which = np.array([place[label] for label in labels[known]])
        margins = self.margins(vectors)[known]
        losses = [-_log_softmax(factor * margins)[np.arange(len(which)), which].mean() for factor in TEMPERATURES]
        self.temperature = float(TEMPERATURES[int(np.argmin(losses))])


def fit_linear(vectors: sparse.csr_array, labels: NDArray[Any], *, seed: int, cost: float = 1.0) -> Linear:
    """Squared-hinge support vectors, one class against the rest (Fan et al. 2008, LIBLINEAR); one class: constant."""
    from sklearn.svm import LinearSVC

    classes = sorted({str(label) for label in labels})
    if len(classes) == 1:
        return Linear(classes, np.zeros((1, vectors.shape[1]), np.float32), np.zeros(1, np.float32))
    svm = LinearSVC(C=cost, random_state=seed).fit(vectors, labels.astype(str))
    weights, intercepts = svm.coef_, svm.intercept_
    if len(classes) == 2:  # one row for both: the second against the first
        weights, intercepts = np.vstack([-weights, weights]), np.concatenate([-intercepts, intercepts])
    return Linear(classes, weights.astype(np.float32), intercepts.astype(np.float32))


def _log_softmax(margins: Floats) -> Floats:
    shifted = margins - margins.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
