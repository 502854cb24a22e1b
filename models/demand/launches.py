"""What a product without a history is told by others: how its category sells, and how what was launched lately did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.demand.history import Block, Floats, group_codes, recent_mean
from models.demand.parts import chunks
from models.demand.spikes import without_spikes

YOUNG = {7: 13, 1: 91, 30: 3, 91: 1}
"""Periods since the first sale up to which a product counts as launched lately."""
RECENT = {7: 4, 1: 28, 30: 1, 91: 1}
"""Periods whose mean is taken."""
LITTLE = 0.1


def borrowed(block: Block, caps: Floats, period_days: int) -> Floats:
    """[n, 2] mean units a period of the category's products, and of those launched lately.

    Products that never sold are not counted; NaN where there is none, or no category.
    """
    recent = np.zeros(len(block), np.float32)
    for rows in chunks(len(block)):
        recent[rows] = recent_mean(without_spikes(block.take(rows), caps[rows]), RECENT[period_days])
    has_sold = block.products["first_sold_on"].notna().to_numpy(bool)
    is_young = has_sold & (block.age <= YOUNG[period_days])
    codes = group_codes(block, "category")
    return np.column_stack([_means(recent, codes, counted) for counted in (has_sold, is_young)])


def _means(values: Floats, codes: NDArray[np.int64], counted: NDArray[np.bool_]) -> Floats:
    """[n] the mean of the counted products of each product's group, NaN where there is none."""
    counted = counted & (codes >= 0)
    groups = int(codes.max(initial=0)) + 1
    count = np.bincount(codes[counted], minlength=groups)
    total = np.bincount(codes[counted], values[counted], minlength=groups)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return np.where(codes >= 0, means[codes], np.nan).astype(np.float32)


def against(means: Floats, level: Floats) -> list[Floats]:
    """[n] each: the logarithm of the means by the product's level."""
    return [np.log((column + LITTLE) / (level + LITTLE)) for column in means.T]
