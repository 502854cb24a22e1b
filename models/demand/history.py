"""Demand history as dense arrays: one block of products by periods for each cut-off.

Period i (1 = the latest) covers [as_of - i*p days, as_of - (i-1)*p days). Column i-1 of a block's
arrays holds period i; periods without a row in `demand_periods` are zeros. What could not sell while a product was
out of stock is put back (`models.demand.censored`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.dates import to_days
from models.demand.censored import AROUND, last_chance, restored, shares
from models.protocol import Features

PRODUCTS, PERIODS = "demand_products", "demand_periods"
LENGTH = {7: 110, 1: 400, 30: 60, 91: 24}
"""Periods of history kept, by days in a period: a week, a day; 30 and 91 stand for a month and a quarter."""
YEAR = {7: 52, 1: 364, 30: 12, 91: 4}
"""Periods in a year, by days in a period; 364 keeps the weekday."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Block:
    """The products in scope at one cut-off and their history."""

    as_of: np.datetime64
    products: pd.DataFrame
    """The rows of `demand_products` at this cut-off, sorted by product_id: n rows."""
    units: Floats
    """[n, L] units ordered, with what the time out of stock would have sold."""
    revenue: Floats
    """[n, L] what was paid for them."""
    age: NDArray[np.int64]
    """[n] periods since the first sale, 1..L; a product never sold has 1."""

    def __len__(self) -> int:
        return len(self.products)

    def take(self, rows: NDArray[np.int64] | slice) -> Block:
        """The block of some of its products."""
        products = self.products.iloc[rows].reset_index(drop=True)
        return Block(self.as_of, products, self.units[rows], self.revenue[rows], self.age[rows])


def blocks(features: Features, period_days: int) -> Iterator[Block]:
    """One block per cut-off in `features`, in time order.

    Raises ValueError where `period_days` is not 1, 7, 30 or 91, or a period does not lie before its cut-off.
    """
    periods_kept(period_days)
    products = features[PRODUCTS]
    at = to_days(products["as_of"])
    periods = _by_cutoff(features[PERIODS])
    for as_of in np.unique(at):
        own = products.loc[at == as_of].sort_values("product_id", ignore_index=True)
        if own["product_id"].duplicated().any():
            raise ValueError(f"{PRODUCTS}: found a product twice at {as_of}, expected one row per as_of and product_id")
        yield _block(own, as_of, periods.get(as_of), period_days)


def _block(products: pd.DataFrame, as_of: np.datetime64, rows: pd.DataFrame | None, period_days: int) -> Block:
    """The block of one cut-off; nothing is put back where no row tells of days out of stock."""
    length, around = periods_kept(period_days), AROUND[period_days]
    units, revenue, share = _dense(products["product_id"], rows, length, period_days)
    age = _age(products, as_of, period_days, length)
    if share.any():
        known = np.arange(length)[None] < age[:, None]
        units, revenue = (restored(values, share, known, around) for values in (units, revenue))
        last = last_chance(products["last_sold_on"], as_of, share, period_days)
        products = products.assign(last_sold_on=last)
    return Block(as_of, products, units, revenue, age)


def periods_kept(period_days: int) -> int:
    """Length of the history for a period of so many days."""
    if period_days not in LENGTH:
        raise ValueError(
            f"period_days is {period_days}, expected one of {sorted(LENGTH)} (a day, a week, a month, a quarter)"
        )
    return LENGTH[period_days]


def _by_cutoff(periods: pd.DataFrame) -> dict[np.datetime64, pd.DataFrame]:
    """The period rows of each cut-off, cut out of the frame once."""
    if periods.empty:
        return {}
    at = to_days(periods["as_of"])
    if (np.diff(at) < np.timedelta64(0, "D")).any():
        order = np.argsort(at, kind="stable")
        periods, at = periods.iloc[order], at[order]
    starts = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]]))
    ends = np.append(starts[1:], len(at))
    return {at[start]: periods.iloc[start:end] for start, end in zip(starts, ends, strict=True)}


def _dense(
    products: pd.Series, rows: pd.DataFrame | None, length: int, period_days: int
) -> tuple[Floats, Floats, Floats]:
    """Three [n, L] arrays: units, revenue, share out of stock; rows of products out of scope are left out, below zero
    is zero."""
    shape = (len(products), length)
    units, revenue = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    if rows is None:
        return units, revenue, np.zeros(shape, np.float32)
    ago = rows["periods_ago"].to_numpy(np.int64)
    if (ago < 1).any():
        raise ValueError(f"{PERIODS}: found periods_ago {ago.min()}, expected at least 1: a feature from the future")
    which = pd.Index(products).get_indexer(pd.Index(rows["product_id"]))
    kept = (which >= 0) & (ago <= length)
    at = (which[kept], ago[kept] - 1)
    for name, array in (("units", units), ("revenue", revenue)):
        place(array, at, rows[name].to_numpy(np.float32, na_value=np.nan)[kept], f"{PERIODS}.{name}")
    return units, revenue, shares(rows, kept, at, shape, period_days)


def place(array: Floats, at: tuple[NDArray[np.int64], NDArray[np.int64]], values: Floats, what: str) -> None:
    """Write the values into their cells, those below zero as zero.

    Raises ValueError where a value is no finite number, or two want one cell.
    """
    if bad := int((~np.isfinite(values)).sum()):
        raise ValueError(f"{what}: found {bad} rows without a finite number, expected one in each: load them as zero")
    is_taken = np.zeros(array.shape, np.bool_)
    is_taken[at] = True
    if twice := len(values) - int(is_taken.sum()):
        raise ValueError(f"{what}: found {twice} periods of a product twice, expected one row each: sum them first")
    array[at] = np.maximum(values, 0.0)


def _age(products: pd.DataFrame, as_of: np.datetime64, period_days: int, length: int) -> NDArray[np.int64]:
    days = days_since(products["first_sold_on"], as_of)
    periods = np.ceil(np.where(np.isnan(days), 1.0, days) / period_days)
    return np.clip(periods, 1, length).astype(np.int64)


def days_since(column: pd.Series, as_of: np.datetime64) -> NDArray[np.float64]:
    """Days from each date to `as_of`, NaN where there is none."""
    dates = to_days(column)
    days = (as_of - dates).astype(np.float64)
    return np.where(np.isnat(dates), np.nan, days)


def group_codes(block: Block, name: str) -> NDArray[np.int64]:
    """[n] the number of each product's category or brand, -1 for none."""
    if name not in block.products:
        return np.full(len(block), -1, np.int64)
    return np.asarray(block.products[name].astype("category").cat.codes, np.int64)


def recent_mean(block: Block, window: int) -> Floats:
    """[n] mean units of the last `window` periods, of those since the first sale where these are fewer."""
    counted = np.minimum(block.age, window).astype(np.float32)
    return np.asarray(block.units[:, :window].sum(axis=1) / counted, np.float32)


def recent_quantiles(block: Block, window: int, levels: tuple[float, ...]) -> Floats:
    """[q, n] quantiles (linear interpolation) of the last `window` periods, of those since the first sale."""
    window = min(window, block.units.shape[1])
    inside = np.arange(window)[None] < block.age[:, None]
    ordered = np.sort(np.where(inside, block.units[:, :window], np.inf), axis=1)
    last = np.minimum(block.age, window) - 1
    rows = np.arange(len(block))
    found = []
    for level in levels:
        below = np.floor(level * last).astype(np.int64)
        part = level * last - below
        above = np.minimum(below + 1, last)
        found.append((1.0 - part) * ordered[rows, below] + part * ordered[rows, above])
    return np.asarray(found, np.float32).reshape(len(levels), len(block))


def naive_scales(features: Features, period_days: int) -> pd.DataFrame:
    """The scale of MASE: as_of, product_id and the in-sample mean absolute error of the naive forecast (lag 1).

    Over the periods since the first sale (a year of them at most); NaN where there is only one.
    """
    frames = []
    for block in blocks(features, period_days):
        steps = np.abs(np.diff(block.units[:, : YEAR[period_days] + 1], axis=1))
        inside = np.arange(steps.shape[1])[None] < block.age[:, None] - 1
        count = inside.sum(axis=1)
        scale = np.where(count > 0, (steps * inside).sum(axis=1) / np.maximum(count, 1), np.nan)
        frames.append(block.products[["as_of", "product_id"]].assign(scale=scale.astype(np.float64)))
    empty = features[PRODUCTS][["as_of", "product_id"]].assign(scale=0.0)
    return pd.concat(frames, ignore_index=True) if frames else empty
