"""Reasons: what raised a payment's risk most, each cause once, with its figures and what is usual.

The contributions along the trees' paths (Saabas 2014) propose causes; how far the log-odds fall when all features of a
cause are set to what is usual decides which are named, and in which order. A cause that would not lower them is none.
TreeSHAP's (Lundberg et al. 2020) causes explain as much, at tens to hundreds of times the cost of predicting
(docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.risk.causes import cause
from models.risk.phrases import sentence

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Texts = NDArray[np.object_]
Function = Callable[[Floats], Floats]
NAMED = 3
PROPOSED = 6
"""Causes that are tried for a payment."""
LEAST = 0.01
"""Log-odds that a cause must raise: odds greater by a hundredth."""
ROWS = 65_536
"""Payments at a time: what bounds the memory."""


def usual_of(values: Floats, fraud: NDArray[np.bool_]) -> Floats:
    """[F] the lower median of each feature over honest payments, NaN where most are null; values: [n, F]."""
    honest = values[~fraud]
    usual = np.full(honest.shape[1], np.nan)
    for place, column in enumerate(honest.T):
        known = column[~np.isnan(column)]
        if 2 * len(known) > len(column):
            usual[place] = np.quantile(known, 0.5, method="lower")
    return usual


def reasons_of(
    columns: Sequence[str], values: Floats, usual: Floats, contributions: Function, margins: Function
) -> Texts:
    """[n, 3] reasons as `code: sentence`, the strongest cause first, null where fewer raise the risk.

    values: [n, F]; usual: [F]; contributions: [n, F] values -> [n, F] shares in the margin; margins: [n, F] values ->
    [n] log-odds. The code is the feature that contributes most within its cause.
    """
    parts = [
        _reasons(columns, values[first : first + ROWS], usual, contributions, margins)
        for first in range(0, len(values), ROWS)
    ]
    return np.concatenate(parts) if parts else np.full((0, NAMED), None, object)


def _reasons(
    columns: Sequence[str], values: Floats, usual: Floats, contributions: Function, margins: Function
) -> Texts:
    names = sorted({cause(column) for column in columns})
    of = np.array([names.index(cause(column)) for column in columns])
    shares = contributions(values)
    proposed = _greatest(_by_cause(shares, of, len(names)), PROPOSED)
    falls = _falls(values, usual, of, proposed, margins)
    first = _greatest(falls, NAMED)
    named = np.where(np.take_along_axis(falls, first, 1) > LEAST, np.take_along_axis(proposed, first, 1), -1)
    shares = np.where(_is_same(values, usual), -np.inf, shares)  # what is as usual is not what is named
    found = np.full((len(values), NAMED), None, object)
    for rank in range(named.shape[1]):
        strongest = np.argmax(np.where(of == named[:, [rank]], shares, -np.inf), axis=1)
        found[:, rank] = _sentences(columns, values, usual, np.where(named[:, rank] >= 0, strongest, -1))
    return found


def _by_cause(shares: Floats, of: Places, causes: int) -> Floats:
    """[n, F] -> [n, causes] sums."""
    return np.asarray(shares @ (of[:, None] == np.arange(causes)).astype(np.float64))


def _greatest(values: Floats, count: int) -> Places:
    """[n, count] places of each row's greatest values, the greatest first; fewer where there are fewer columns."""
    return np.argsort(-values, axis=1, kind="stable")[:, :count]


def _falls(values: Floats, usual: Floats, of: Places, proposed: Places, margins: Function) -> Floats:
    """[n, k] how far the log-odds fall when the k-th proposed cause is set to what is usual."""
    before = margins(values)
    return np.stack(
        [before - margins(np.where(of == proposed[:, [rank]], usual, values)) for rank in range(proposed.shape[1])],
        axis=1,
    )


def _is_same(values: Floats, usual: Floats) -> NDArray[np.bool_]:
    return np.asarray((values == usual) | (np.isnan(values) & np.isnan(usual)))


def _sentences(columns: Sequence[str], values: Floats, usual: Floats, which: Places) -> Texts:
    """[n] the reason of one feature for each payment, null where `which` is -1; each value is put into words once."""
    found = np.full(len(values), None, object)
    for place in np.unique(which[which >= 0]):
        rows, column = np.flatnonzero(which == place), columns[place]
        distinct, inverse = np.unique(values[rows, place], return_inverse=True)
        texts = [f"{column}: {sentence(column, value, usual[place])}" for value in distinct.tolist()]
        found[rows] = np.array(texts, object)[inverse]
    return found
