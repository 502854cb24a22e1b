"""A linear model over sparse vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]


@dataclass
class Linear:
    """Margins [n, C] of each class against all others."""

    classes: list[str]
    weights: NDArray[np.float32]  # [C, V]
    intercepts: NDArray[np.float32]  # [C]

    def margins(self, vectors: sparse.csr_array) -> Floats:
        """[n, V] -> [n, C]."""
        return np.asarray(vectors @ self.weights.T + self.intercepts, dtype=np.float64)


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
