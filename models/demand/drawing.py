"""The rows that the global demand model learns from, drawn from lessons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.demand.design import Designer
from models.demand.history import Floats
from models.demand.lessons import Lesson

CHUNK = 20_000
"""Products whose features are held at once."""


class Rows(NamedTuple):
    """r drawn rows (product, cut-off, period)."""

    features: Floats
    """[r, F]"""
    labels: Floats
    """[r] units by the product's level."""
    levels: Floats
    """[r] units a period."""


def draw(taught: Iterable[Lesson], period_days: int, share: float, seed: int) -> Rows:
    """A share of the rows whose period has ended, drawn at random."""
    parts = [part for lesson in taught if lesson.ended for part in _drawn(lesson, period_days, share, seed)]
    if not parts:
        return Rows(np.zeros((0, 1), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32))
    return Rows(*[np.concatenate(column) for column in zip(*parts, strict=True)])


def usable(taught: Iterable[Lesson]) -> int:
    """How many rows have ended."""
    return sum(len(lesson.block) * min(lesson.ended, lesson.came.shape[1]) for lesson in taught)


def chunks(count: int) -> Iterator[NDArray[np.int64]]:
    """The numbers below `count`, CHUNK at a time."""
    for start in range(0, count, CHUNK):
        yield np.arange(start, min(start + CHUNK, count))


def _drawn(lesson: Lesson, period_days: int, share: float, seed: int) -> Iterator[Rows]:
    horizon = lesson.came.shape[1]
    row = _row_numbers(lesson, share, seed)
    if not len(row):
        return
    designer = Designer(lesson.block, horizon, period_days)
    products = np.unique(row // horizon)
    for part in chunks(len(products)):
        own = products[part]
        mine = row[np.searchsorted(row, own[0] * horizon) : np.searchsorted(row, (own[-1] + 1) * horizon)]
        place = np.searchsorted(own, mine // horizon)
        design = designer.at(own)
        level = design.level[place]
        yield Rows(design.rows(place * horizon + mine % horizon), lesson.came.ravel()[mine] / level, level)


def _row_numbers(lesson: Lesson, share: float, seed: int) -> NDArray[np.int64]:
    """Sorted row numbers (product * H + h - 1) among the periods that have ended and whose outcome is known."""
    horizon = lesson.came.shape[1]
    steps = np.arange(min(lesson.ended, horizon), dtype=np.int64)
    first = np.arange(len(lesson.block), dtype=np.int64)[:, None] * horizon
    ended: NDArray[np.int64] = (first + steps[None]).ravel()
    is_drawn = ~np.isnan(lesson.came.ravel()[ended])
    if share < 1.0:
        day = int(lesson.block.as_of.astype("datetime64[D]").astype(np.int64))
        is_drawn &= np.random.default_rng([seed, day & 0xFFFFFFFF]).random(len(ended)) < share
    return np.asarray(ended[is_drawn], np.int64)
