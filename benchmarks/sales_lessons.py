"""Series as the demand models read them: history at a cut-off, and what came of earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.sales import GROUPS, PERIOD_DAYS, Sales
from models.demand.history import LENGTH, Block, Floats
from models.demand.lessons import Lesson

LEAST = 8
"""Periods before the first cut-off that is learnt from, as the store has (MIN_HISTORY_DAYS)."""
MAX_CUTOFFS = 60


def block_at(sales: Sales, cut: int, rows: NDArray[np.int64], freq: str) -> Block:
    """The history of the series at `rows`, all with a sale before column `cut`; below zero counts as zero."""
    length = LENGTH[PERIOD_DAYS[freq]]
    past = sales.values[rows, max(cut - length, 0) : cut][:, ::-1]
    units = np.zeros((len(rows), length), np.float32)
    np.maximum(past, 0.0, out=units[:, : past.shape[1]], casting="same_kind")
    last = cut - 1 - _since_last_sale(sales, cut, rows, units)
    products = pd.DataFrame(
        {
            "as_of": sales.starts[cut],
            "product_id": sales.names.take(rows),
            "first_sold_on": sales.starts[sales.first[rows]],
            "last_sold_on": sales.starts[last],
            "avg_price_4": np.nan,
            **{name: sales.groups[name].to_numpy()[rows] for name in GROUPS},
        }
    )
    age = np.clip(cut - sales.first[rows], 1, length)
    return Block(sales.starts[cut], products, units, np.zeros(units.shape, np.float32), age)


def _since_last_sale(sales: Sales, cut: int, rows: NDArray[np.int64], units: Floats) -> NDArray[np.int64]:
    """[n] periods without a sale before the cut-off: mostly seen in the kept units."""
    ago: NDArray[np.int64] = (units > 0).argmax(axis=1)
    older = np.flatnonzero(units[np.arange(len(rows)), ago] <= 0)
    ago[older] = (sales.values[rows[older], :cut][:, ::-1] > 0).argmax(axis=1)
    return ago


@dataclass(frozen=True)
class SalesLessons:
    """A lesson for each training cut-off before column `known`, a quarter of the horizon apart; made when asked for."""

    sales: Sales
    known: int
    horizon: int
    freq: str

    def __iter__(self) -> Iterator[Lesson]:
        return self._made(self._cuts())

    def sizes(self) -> Iterator[tuple[int, int]]:
        """Of each lesson: its series, and its periods that have ended."""
        return ((len(self.sales.scope(cut, 1)), self.known - cut) for cut in self._cuts())

    def newest(self, back: int) -> Iterator[Lesson]:
        """Those of which at most `back` periods have ended."""
        return self._made([cut for cut in self._cuts() if self.known - cut <= back])

    def _cuts(self) -> list[int]:
        stride = max(1, self.horizon // 4)
        return sorted(list(range(self.known - stride, LEAST, -stride))[:MAX_CUTOFFS])

    def _made(self, cuts: list[int]) -> Iterator[Lesson]:
        for cut in cuts:
            rows = self.sales.scope(cut, 1)
            after = self.sales.values[rows, cut : min(cut + self.horizon, self.known)]
            came = np.zeros((len(rows), self.horizon), np.float32)
            came[:, : after.shape[1]] = np.maximum(after, 0.0)
            yield Lesson(block_at(self.sales, cut, rows, self.freq), came, self.known - cut)
