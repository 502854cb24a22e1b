"""What a demand model learns from: the history at past cut-offs with what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from models.dates import to_days
from models.demand.censored import AROUND, restored_outcomes, shares
from models.demand.history import Block, Floats, blocks, place
from models.protocol import Features


class Lesson(NamedTuple):
    """One cut-off."""

    block: Block
    came: Floats
    """[n, H] units that came, zero where nothing did; NaN where nobody knows: out of stock for too long to tell."""
    ended: int
    """Periods after the cut-off whose outcome is known, at most H."""

    def until(self, back: int) -> Lesson:
        """The lesson as it was that many periods earlier: those periods had not ended."""
        return self._replace(ended=max(self.ended - back, 0))


@runtime_checkable
class Skipping(Protocol):
    """Lessons that are made when asked for, and can tell of themselves without being made."""

    def sizes(self) -> Iterator[tuple[int, int]]:
        """Of each lesson: its products, and its periods that have ended."""
        ...

    def newest(self, back: int) -> Iterator[Lesson]:
        """Those of which at most `back` periods have ended."""
        ...


def sizes(taught: Iterable[Lesson]) -> Iterator[tuple[int, int]]:
    """Of each lesson: its products, and its periods that have ended."""
    return taught.sizes() if isinstance(taught, Skipping) else ((len(one.block), one.ended) for one in taught)


def newest(taught: Iterable[Lesson], back: int) -> Iterator[Lesson]:
    """The lessons of which at most `back` periods have ended."""
    return taught.newest(back) if isinstance(taught, Skipping) else (one for one in taught if one.ended <= back)


def lessons(features: Features, targets: pd.DataFrame, horizon: int, period_days: int) -> Iterator[Lesson]:
    """A lesson for each cut-off with a period that had ended by `targets.known_as_of`, in time order."""
    known, at = to_days(targets["known_as_of"]).max(), to_days(targets["as_of"])
    for block in blocks(features, period_days):
        ended = int((known - block.as_of) / np.timedelta64(period_days, "D"))
        if ended >= 1:
            came, share = _outcomes(block, targets.loc[at == block.as_of], horizon, period_days)
            came = restored_outcomes(block.units, block.age, came, share, min(ended, horizon), AROUND[period_days])
            yield Lesson(block, came, ended)


def _outcomes(block: Block, targets: pd.DataFrame, horizon: int, period_days: int) -> tuple[Floats, Floats]:
    """Two [n, H] arrays: units that came, and the share of the period out of stock."""
    came = np.zeros((len(block), horizon), np.float32)
    which = pd.Index(block.products["product_id"]).get_indexer(pd.Index(targets["product_id"]))
    ahead = targets["horizon"].to_numpy(np.int64)
    kept = (which >= 0) & (ahead >= 1) & (ahead <= horizon)
    at, units = (which[kept], ahead[kept] - 1), targets["units"].to_numpy(np.float32, na_value=np.nan)
    place(came, at, units[kept], "targets.units")
    return came, shares(targets, kept, at, came.shape, period_days)
