"""Reasons in words: which features raised a payment's probability most, by TreeSHAP (Lundberg et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Reasons = tuple[str | None, str | None, str | None]


def reasons_of(columns: Sequence[str], values: Floats, contributions: Floats) -> list[Reasons]:
    """For each payment its three features of the greatest contribution, as `code: sentence`.

    values, contributions: [n, F]; contributions in log-odds. What lowers the probability is named as such;
    where there are fewer than three features, or the contribution is nothing, the reason is null.
    """
    first = np.argsort(-contributions, axis=1, kind="stable")[:, :3]
    rows = zip(first, np.take_along_axis(values, first, 1), np.take_along_axis(contributions, first, 1), strict=True)
    return [_three([_words(columns[j], v, c) for j, v, c in zip(*row, strict=True)]) for row in rows]


def _three(found: list[str | None]) -> Reasons:
    padded = [reason for reason in found if reason] + [None, None, None]
    return padded[0], padded[1], padded[2]


def _words(column: str, value: float, contribution: float) -> str | None:
    if contribution == 0:
        return None
    words = column.replace("_", " ")
    shown = "not known" if np.isnan(value) else f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{column}: {words} is {shown}, which {'raises' if contribution > 0 else 'lowers'} the risk"
