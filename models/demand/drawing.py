"""The rows that the global demand model learns from, drawn from lessons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.demand.design import Designer
from models.demand.history import Floats
from models.demand.lessons import Lesson, sizes
from models.demand.parts import parts


class Rows(NamedTuple):
    """r drawn rows (product, cut-off, period)."""

    features: Floats
    """[r, F]"""
    labels: Floats
    """[r] units by the product's level."""
    levels: Floats
    """[r] units a period."""


def draw(
    taught: Iterable[Lesson],
    horizon: int,
    period_days: int,
    country: str | None,
    backs: Sequence[int],
    most: int,
    seed: int,
) -> list[Rows]:
    """For each of `backs`: rows of the lessons as they were so many periods ago, about `most`, drawn at random.

    Goes through the lessons once where they tell their sizes, else twice.
    """
    shares = [most / max(rows, 1) for rows in usable(taught, backs, horizon)]
    found: list[list[Rows]] = [[] for _ in backs]
    for lesson in taught:
        designer = Designer(lesson.block, horizon, period_days, country)
        for back, share, own in zip(backs, shares, found, strict=True):
            own += _drawn(lesson.until(back), designer, share, seed)
    return [_together(own) for own in found]


def usable(taught: Iterable[Lesson], backs: Sequence[int], horizon: int) -> list[int]:
    """For each of `backs`: how many rows had ended."""
    found = list(sizes(taught))
    return [sum(products * min(max(ended - back, 0), horizon) for products, ended in found) for back in backs]


def _together(parts: list[Rows]) -> Rows:
    if not parts:
        return Rows(np.zeros((0, 1), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32))
    return Rows(*[np.concatenate(column) for column in zip(*parts, strict=True)])


def _drawn(lesson: Lesson, designer: Designer, share: float, seed: int) -> Iterator[Rows]:
    horizon = lesson.came.shape[1]
    row = _row_numbers(lesson, share, seed)
    for own in parts(np.unique(row // horizon)):
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
