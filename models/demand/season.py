"""What last year says of a target period: the product's own season, its category's, its brand's and the store's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.demand.history import YEAR, Block, Floats

AROUND = {7: 1, 1: 3, 30: 0, 91: 0}
"""Periods on each side of last year's target period that are averaged with it."""
LAST_YEARS_LEVEL = {7: 8, 1: 28, 30: 3, 91: 2}
"""Periods up to a year ago whose mean last year's target period is compared with."""
GROUPS = ("category", "brand")


def own_season(block: Block, level: Floats, horizon: int, period_days: int) -> list[Floats]:
    """[n, H] each: the product's units around the target period a year and two years ago, and its growth since."""
    year, recent = YEAR[period_days], LAST_YEARS_LEVEL[period_days]
    at = year - np.arange(1, horizon + 1)
    radius, age, by = AROUND[period_days], block.age[:, None], level[:, None]
    around = means_around(block.units, at, radius)
    before = block.units[:, year : year + recent].mean(axis=1)[:, None]
    now = block.units[:, :recent].mean(axis=1)[:, None]
    is_known, is_compared = age > at[None] + radius, age > year + recent // 2
    lift = np.log((around + 0.2 * by) / (before + 0.2 * by))
    grown = np.broadcast_to(np.log((now + 0.2 * by) / (before + 0.2 * by)), lift.shape)
    expected = now / by * np.exp(np.clip(lift, -2.0, 2.0))
    earlier = means_around(block.units, at + year, radius)
    found = [np.where(is_known, around / by, np.nan), np.where(is_known, block.units[:, at] / by, np.nan)]
    found += [np.where(is_compared, values, np.nan) for values in (lift, grown, expected)]
    found.append(np.where(age > at[None] + year + radius, earlier / by, np.nan))
    return [array.astype(np.float32) for array in found]


def shared_season(block: Block, horizon: int, period_days: int) -> list[Floats]:
    """[n, H] each: how the store, the category and the brand moved around the target period a year ago, and since.

    Summed over the products that are more than a year old; NaN where there is none.
    """
    old = block.age > YEAR[period_days] + LAST_YEARS_LEVEL[period_days] // 2
    found = _lifts((block.units > 0)[old].mean(axis=0, keepdims=True), horizon, period_days)[:1] if old.any() else []
    found = [np.broadcast_to(array, (len(block), horizon)) for array in found] or [_unknown(block, horizon)]
    found += _by_group(block, np.zeros(len(block), np.int64), old, horizon, period_days)
    for name in GROUPS:
        codes = block.products[name].astype("category").cat.codes.to_numpy(np.int64) if name in block.products else None
        if codes is None or (codes < 0).all():
            found += [_unknown(block, horizon)] * 3
        else:
            found += _by_group(block, codes, old, horizon, period_days)
    return [array.astype(np.float32) for array in found]


def _unknown(block: Block, horizon: int) -> Floats:
    return np.full((len(block), horizon), np.nan, np.float32)


def _by_group(block: Block, codes: NDArray[np.int64], old: NDArray[np.bool_], horizon: int, days: int) -> list[Floats]:
    """[n, H] each: the lifts of each product's group."""
    counted = np.flatnonzero(old & (codes >= 0))
    shape = (int(codes.max(initial=0)) + 1, len(block))
    members = sparse.csr_array((np.ones(len(counted), np.float32), (codes[counted], counted)), shape=shape)
    lifts = _lifts(np.asarray(members @ block.units), horizon, days)
    has_any = np.bincount(codes[counted], minlength=shape[0]) > 0
    is_known = (codes >= 0) & has_any[codes]
    return [np.where(is_known[:, None], lift[codes], np.nan) for lift in lifts]


def _lifts(sums: Floats, horizon: int, period_days: int) -> list[Floats]:
    """[G, H] each, logarithms: around the target period a year ago by before it, in it by before, now by before."""
    year, recent = YEAR[period_days], LAST_YEARS_LEVEL[period_days]
    at = year - np.arange(1, horizon + 1)
    little = 0.01 * sums.mean(axis=1, keepdims=True) + 1e-6
    before = sums[:, year : year + recent].mean(axis=1, keepdims=True) + little
    around = means_around(sums, at, AROUND[period_days]) + little
    now = np.broadcast_to(sums[:, :recent].mean(axis=1, keepdims=True) + little, around.shape)
    return [np.log(part / before) for part in (around, sums[:, at] + little, now)]


def means_around(values: Floats, at: NDArray[np.int64], radius: int) -> Floats:
    """[n, H] means of the columns at-radius .. at+radius; columns outside the history are left out."""
    offsets = at[:, None] + np.arange(-radius, radius + 1)[None]  # [H, 2r+1]
    inside = (offsets >= 0) & (offsets < values.shape[1])
    picked = values[:, np.clip(offsets, 0, values.shape[1] - 1)] * inside[None]
    means: Floats = picked.sum(axis=2) / np.maximum(inside.sum(axis=1), 1)[None].astype(np.float32)
    return means
