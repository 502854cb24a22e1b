"""Series as the demand models read them: history at a cut-off, and what came of earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.sales import GROUPS, PERIOD_DAYS, Sales
from models.demand.history import LENGTH, Block
from models.demand.lessons import Lesson

LEAST = 8
"""Periods before the first cut-off that is learnt from, as the store has (MIN_HISTORY_DAYS)."""
MAX_CUTOFFS = 60


def block_at(sales: Sales, cut: int, rows: NDArray[np.int64], freq: str) -> Block:
    """The history of the series at `rows`, all with a sale before column `cut`; below zero counts as zero."""
    length = LENGTH[PERIOD_DAYS[freq]]
    past = np.maximum(sales.values[rows, max(cut - length, 0) : cut][:, ::-1], 0.0)
    units = np.zeros((len(rows), length), np.float32)
    units[:, : past.shape[1]] = past
    last = cut - 1 - (sales.values[rows, :cut][:, ::-1] > 0).argmax(axis=1)
    products = pd.DataFrame(
        {
            "as_of": sales.starts[cut],
            "product_id": sales.ids[rows],
            "first_sold_on": sales.starts[sales.first[rows]],
            "last_sold_on": sales.starts[last],
            "avg_price_4": np.nan,
            **{name: sales.groups[name].to_numpy()[rows] for name in GROUPS},
        }
    )
    age = np.clip(cut - sales.first[rows], 1, length)
    return Block(sales.starts[cut], products, units, np.zeros_like(units), age)


@dataclass(frozen=True)
class SalesLessons:
    """A lesson for each training cut-off before column `known`, a quarter of the horizon apart; made when asked for."""

    sales: Sales
    known: int
    horizon: int
    freq: str

    def __iter__(self) -> Iterator[Lesson]:
        stride = max(1, self.horizon // 4)
        cuts = list(range(self.known - stride, LEAST, -stride))[:MAX_CUTOFFS]
        for cut in sorted(cuts):
            rows = self.sales.scope(cut, 1)
            after = self.sales.values[rows, cut : min(cut + self.horizon, self.known)]
            came = np.zeros((len(rows), self.horizon), np.float32)
            came[:, : after.shape[1]] = np.maximum(after, 0.0)
            yield Lesson(block_at(self.sales, cut, rows, self.freq), came, self.known - cut)
