"""What last year says of a target period: the product's own season, its category's, its brand's and the store's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.demand.alignment import year_ago
from models.demand.history import YEAR, Block, Floats, group_codes
from models.demand.parts import parts
from models.demand.spikes import capped

AROUND = {7: 1, 1: 3, 30: 0, 91: 0}
"""Periods on each side of last year's target period that are averaged with it."""
LAST_YEARS_LEVEL = {7: 8, 1: 28, 30: 3, 91: 2}
"""Periods up to a year ago whose mean last year's target period is compared with."""
SHORT = {7: 4, 1: 14, 30: 1, 91: 1}
LONG = {7: 13, 1: 28, 30: 3, 91: 2}
"""Periods that this year is compared with last year over."""
LARGEST_GROWTH = 3.0
GROUPS = ("category", "brand")
CATEGORY, BRAND = (5, 6), (8, 9)
"""Where `SharedSeason` has how a group moved a year ago in the target period, and since."""
SUMMED = 20_000
"""Products whose units are added up at once."""


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


class Aligned(NamedTuple):
    """Columns of the history that stand for others a year later."""

    ahead: NDArray[np.int64]
    """[H] for the periods ahead."""
    before: NDArray[np.int64]
    """[W] for the latest periods."""


def aligned_years(as_of: np.datetime64, horizon: int, period_days: int, country: str | None) -> Aligned:
    """The periods a year ago with the holidays of those ahead and of the latest."""
    ahead = year_ago(as_of, -np.arange(1, horizon + 1), period_days, country)
    return Aligned(ahead, year_ago(as_of, np.arange(LONG[period_days]), period_days, country))


def grown_season(
    block: Block, smooth: Floats, shared: Floats, level: Floats, aligned: Aligned, period_days: int
) -> list[Floats]:
    """[n, H] each, by the level: last year's target period moved to this year, in several ways.

    smooth: [n, T] the units with their noise taken out. shared: [n, H, F] of `SharedSeason`. NaN where the product is
    not a year older than what it is compared over.
    """
    year, recent, long = YEAR[period_days], LAST_YEARS_LEVEL[period_days], LONG[period_days]
    units, by, at = block.units, level[:, None], aligned.ahead
    category, brand = (np.exp(np.clip(shared[:, :, place], -2.0, 2.0)) for place in (CATEGORY, BRAND))
    now, ago, calm = units[:, :recent].mean(axis=1)[:, None], units[:, at], smooth[:, at]
    found = [now * category[..., 0], ago * category[..., 1], now * brand[..., 0], ago * brand[..., 1]]
    found += [
        values * growth(values_of, level, window, aligned)[:, None]
        for values, values_of, window in (
            (ago, units, SHORT[period_days]),
            (ago, units, long),
            (calm, smooth, SHORT[period_days]),
            (calm, smooth, long),
        )
    ]
    known = [np.isfinite(part) for part in found]
    together = sum(np.nan_to_num(part) for part in found) / np.maximum(sum(known), 1)
    found += [together, calm, means_around(smooth, at, AROUND[period_days])]
    found += [units[:, np.maximum(at - 1, 0)], units[:, at + 1]]
    found += [
        np.broadcast_to(smooth[:, :window].mean(axis=1)[:, None], ago.shape) for window in (SHORT[period_days], recent)
    ]
    is_known = block.age[:, None] > year + recent
    return [np.where(is_known, part / by, np.nan).astype(np.float32) for part in found]


def growth(values: Floats, level: Floats, window: int, aligned: Aligned) -> Floats:
    """[n] the last `window` periods by the same ones a year ago, a tenth of the level added to both."""
    little = 0.1 * level
    now, before = values[:, :window].mean(axis=1), values[:, aligned.before[:window]].mean(axis=1)
    return np.asarray(np.clip((now + little) / (before + little), 1.0 / LARGEST_GROWTH, LARGEST_GROWTH), np.float32)


def last_year(smooth: Floats, age: NDArray[np.int64], level: Floats, aligned: Aligned, period_days: int) -> Floats:
    """[n, H] units of the same period a year ago by the growth since, NaN for products younger than that.

    smooth: [n, T] the units with their noise taken out: one odd week a year ago is not repeated.
    """
    found = smooth[:, aligned.ahead] * growth(smooth, level, LONG[period_days], aligned)[:, None]
    is_known = age[:, None] > YEAR[period_days] + LAST_YEARS_LEVEL[period_days]
    return np.where(is_known, found, np.nan).astype(np.float32)


@dataclass(frozen=True)
class SharedSeason:
    """How the store, the category and the brand moved around the target period a year ago, and since.

    Summed over the products that are more than a year old; NaN where there is none.
    """

    codes: list[NDArray[np.int64]]
    """[n] each: the group of every product, -1 for none."""
    tables: list[Floats]
    """[G + 1, H, F] each, of the groups; the last row is NaN, for -1."""

    def at(self, rows: NDArray[np.int64]) -> Floats:
        """[r, H, F] of the products at `rows`."""
        found = [table[codes[rows]] for codes, table in zip(self.codes, self.tables, strict=True)]
        return np.concatenate(found, axis=2)


def shared_season(block: Block, caps: Floats, horizon: int, period_days: int) -> SharedSeason:
    """The seasons of the block, whose units count up to their product's cap ([n, 1])."""
    old = block.age > YEAR[period_days] + LAST_YEARS_LEVEL[period_days] // 2
    codes = [np.zeros(len(block), np.int64), *[group_codes(block, name) for name in GROUPS]]
    sums, selling = _sums(block, caps, codes, old)
    shares = _lifts(selling[None] / max(int(old.sum()), 1), horizon, period_days)[:1]
    tables = [_table(shares, np.array([old.any()]))]
    for own, group in zip(codes, sums, strict=True):
        has_any = np.bincount(own[old & (own >= 0)], minlength=len(group)) > 0
        tables.append(_table(_lifts(group, horizon, period_days), has_any))
    return SharedSeason([codes[0], *codes], tables)


def _table(lifts: list[NDArray[Any]], has_any: NDArray[np.bool_]) -> Floats:
    """[G + 1, H, F] of the lifts, NaN for groups without any product and in the last row."""
    known = np.where(has_any[:, None, None], np.stack(lifts, axis=2), np.nan).astype(np.float32)
    return np.concatenate([known, np.full_like(known[:1], np.nan)])


def _sums(
    block: Block, caps: Floats, codes: list[NDArray[np.int64]], old: NDArray[np.bool_]
) -> tuple[list[Floats], NDArray[np.float64]]:
    """[G, L] units of each group of old products, by grouping, and the [L] count of old ones that sold; a part of the
    products at a time."""
    counts = [int(own.max(initial=0)) + 1 for own in codes]
    first = np.cumsum([0, *counts])
    sums = np.zeros((first[-1], block.units.shape[1]), np.float32)
    selling = np.zeros(block.units.shape[1])
    for rows in parts(np.flatnonzero(old), SUMMED):
        units = block.units[rows]
        selling += (units > 0).sum(axis=0)
        units = capped(units, caps[rows])
        places = [(np.flatnonzero(own[rows] >= 0), start) for own, start in zip(codes, first, strict=False)]
        groups = np.concatenate([own[rows[at]] + start for own, (at, start) in zip(codes, places, strict=True)])
        columns = np.concatenate([at for at, _ in places])
        members = sparse.csr_array((np.ones(len(groups), np.float32), (groups, columns)), (first[-1], len(rows)))
        sums += members @ units
    return np.split(sums, first[1:-1]), selling


def _lifts(sums: NDArray[Any], horizon: int, period_days: int) -> list[NDArray[Any]]:
    """[G, H] each, logarithms: around the target period a year ago by before it, in it by before, now by before."""
    year, recent = YEAR[period_days], LAST_YEARS_LEVEL[period_days]
    at = year - np.arange(1, horizon + 1)
    little = 0.01 * sums.mean(axis=1, keepdims=True) + 1e-6
    before = sums[:, year : year + recent].mean(axis=1, keepdims=True) + little
    around = means_around(sums, at, AROUND[period_days]) + little
    now = np.broadcast_to(sums[:, :recent].mean(axis=1, keepdims=True) + little, around.shape)
    return [np.log(part / before) for part in (around, sums[:, at] + little, now)]


def means_around(values: NDArray[Any], at: NDArray[np.int64], radius: int) -> NDArray[Any]:
    """[n, H] means of the columns at-radius .. at+radius; columns outside the history are left out."""
    offsets = at[:, None] + np.arange(-radius, radius + 1)[None]  # [H, 2r+1]
    inside = (offsets >= 0) & (offsets < values.shape[1])
    picked = values[:, np.clip(offsets, 0, values.shape[1] - 1)] * inside[None]
    means: NDArray[Any] = picked.sum(axis=2) / np.maximum(inside.sum(axis=1), 1)[None].astype(np.float32)
    return means
