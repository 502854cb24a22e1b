"""Demand that an empty shelf hid: what sold while a product was out of stock is less than what was wanted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.dates import to_days
from models.metrics import DAYS_OUT

Floats = NDArray[np.float32]
Places = tuple[NDArray[np.int64], NDArray[np.int64]]

AROUND = {7: 8, 1: 28, 30: 3, 91: 2}
"""Periods on each side whose rate stands in for the days out of stock."""
LEAST = 2.0
"""Periods in stock that a rate is taken from; fewer on both sides, and the whole series is."""
LARGEST_SHARE = 0.5
"""Of a period out of stock, above which what came of it is unknown: no label, no outcome."""


def restored(units: Floats, share: Floats, known: NDArray[np.bool_], around: int) -> Floats:
    """[n, T] units with what the time out of stock would have sold, at the rate of the periods around.

    units: [n, T] sold. share: [n, T] of each period out of stock, 0 to 1. known: [n, T] the periods that count. What is
    added is whole units, their rounding carried from period to period, so that a product that sells now and then still
    does. No single period makes the rate: none counts for more than twice the second largest.
    """
    rows = np.flatnonzero((share * known).any(axis=1))
    if not len(rows):
        return units
    sold = units[rows].astype(np.float64) * known[rows]
    hidden = share[rows].astype(np.float64) * known[rows]
    usual = np.minimum(sold, 2.0 * -np.partition(-sold, 1, axis=1)[:, 1:2]) if sold.shape[1] > 1 else 0.0 * sold
    missing = np.cumsum(_rate(usual, known[rows] - hidden, around) * hidden, axis=1)
    found = units.copy()
    found[rows] += np.diff(np.floor(missing + 0.5), axis=1, prepend=0.0).astype(np.float32)
    return found


def _rate(sold: NDArray[np.float64], in_stock: NDArray[np.float64], around: int) -> NDArray[np.float64]:
    """[n, T] units a whole period in stock, over the periods at most `around` away; over all where these are few."""
    units, time = _sums_around(sold, around), _sums_around(in_stock, around)
    everything = sold.sum(axis=1, keepdims=True) / np.maximum(in_stock.sum(axis=1, keepdims=True), 1.0)
    return np.where(time >= LEAST, units / np.maximum(time, LEAST), everything)


def _sums_around(values: NDArray[np.float64], around: int) -> NDArray[np.float64]:
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    at = np.arange(values.shape[1])
    return sums[:, np.minimum(at + around + 1, values.shape[1])] - sums[:, np.maximum(at - around, 0)]


def shares(rows: pd.DataFrame, kept: NDArray[np.bool_], at: Places, shape: tuple[int, int], period_days: int) -> Floats:
    """[n, T] share of each period out of stock. at: the places of the rows that are kept."""
    found = np.zeros(shape, np.float32)
    if DAYS_OUT in rows:
        found[at] = np.clip(rows[DAYS_OUT].to_numpy(np.float32)[kept] / period_days, 0.0, 1.0)
    return found


def restored_outcomes(
    history: Floats, age: NDArray[np.int64], came: Floats, share: Floats, ended: int, around: int
) -> Floats:
    """[n, H] what came after a cut-off as `restored` has it, NaN where the product was out of stock for too long.

    history: [n, L] before it, the latest first, restored already. age: [n] of its periods count. ended: of the H are
    over.
    """
    if not share.any():
        return came
    length = history.shape[1]
    series = np.hstack([history[:, ::-1], came])
    out = np.hstack([np.zeros_like(history), share])
    at = np.arange(series.shape[1])[None]
    known = (at >= length - age[:, None]) & (at < length + ended)
    found = restored(series, out, known, around)[:, length:]
    return np.where(share > LARGEST_SHARE, np.float32(np.nan), found)


def last_chance(last_sold: pd.Series, as_of: np.datetime64, share: Floats, period_days: int) -> pd.Series:
    """When each product last sold, moved on by the days since on which it could not: those say nothing of its demand.

    share: [n, L] the latest period first; of the periods that lie after the sale as a whole.
    """
    days_ago = (as_of - to_days(last_sold)).astype(np.float64)
    since = (np.arange(1, share.shape[1] + 1) * period_days)[None] < np.nan_to_num(days_ago)[:, None]
    days_out = np.minimum((share * since).sum(axis=1) * period_days, np.nan_to_num(days_ago - 1.0))
    return pd.to_datetime(last_sold) + pd.to_timedelta(np.round(np.maximum(days_out, 0.0)), unit="D")
