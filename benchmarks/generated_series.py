"""Weekly sales of a made-up store of any size, a part of its series at a time: the first are the same at any size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.sales import GROUPS, Sales

PART = 1_000
"""Series made at once, from a seed of their own."""
WEEKS = 118
CATEGORIES, BRANDS = 40, 400
END = np.datetime64("2024-06-01")

Floats = NDArray[np.float32]


class Part(NamedTuple):
    """Some series."""

    units: Floats
    """[n, T] from the first week to the last."""
    category: NDArray[np.int64]
    brand: NDArray[np.int64]


def parts(series: int, seed: int) -> Iterator[Part]:
    """The store, PART series at a time."""
    for start in range(0, series, PART):
        made, kept = _part(start // PART, seed), slice(series - start)
        yield Part(made.units[kept], made.category[kept], made.brand[kept])


def _part(number: int, seed: int) -> Part:
    """A season by category, a trend, launches and ends; sales that come often or now and then, single or in lots."""
    random = np.random.default_rng([seed, 1, number])
    brand = random.integers(0, BRANDS, PART)
    category = brand % CATEGORIES  # a brand keeps to its category
    week = np.arange(WEEKS)
    rate = np.exp(random.normal(1.0, 1.2, PART))[:, None] * _season(seed)[category]
    rate = rate * np.exp(random.normal(0.0, 0.004, PART)[:, None] * (week - WEEKS / 2))
    chance = random.beta(1.2, 0.8, PART)[:, None]
    lots = random.gamma(random.uniform(0.5, 8.0, PART)[:, None], size=(PART, WEEKS))
    shape = lots.mean(axis=1, keepdims=True)
    units = random.poisson(rate * lots / shape) * (random.random((PART, WEEKS)) < chance)
    launched = np.where(random.random(PART) < 0.4, random.integers(0, WEEKS - 12, PART), 0)
    ended = np.where(random.random(PART) < 0.1, random.integers(WEEKS // 2, WEEKS, PART), WEEKS)
    is_sold = (week >= launched[:, None]) & (week < ended[:, None])
    units = np.where(is_sold, units, 0)
    units[np.arange(PART), launched] += 1  # every series sells once
    return Part(units.astype(np.float32), category, brand)


def _season(seed: int) -> NDArray[np.float64]:
    """[C, T] factors of mean 1: a yearly wave of each category, and a peak that all share."""
    random = np.random.default_rng([seed, 2])
    angle = 2.0 * np.pi * (np.arange(WEEKS) / 52.18 + random.random(CATEGORIES)[:, None])
    wave = random.uniform(0.0, 0.6, CATEGORIES)[:, None] * np.sin(angle)
    peak = random.uniform(0.0, 1.0, CATEGORIES)[:, None] * (np.arange(WEEKS) % 52 >= 49)
    factors = np.exp(wave + peak)
    return np.asarray(factors / factors.mean(axis=1, keepdims=True))


def sales_of(series: int, seed: int) -> Sales:
    """The store as the benchmarks read one."""
    values, groups, start = np.empty((series, WEEKS), np.float32), np.empty((2, series), np.int64), 0
    for part in parts(series, seed):
        rows = slice(start, start + len(part.units))
        values[rows], groups[0, rows], groups[1, rows] = part
        start = rows.stop
    ids = np.char.mod("s%07d", np.arange(series))
    named = pd.DataFrame({name: pd.Categorical(codes) for name, codes in zip(GROUPS, groups, strict=True)})
    starts = END - np.arange(WEEKS, -1, -1) * np.timedelta64(7, "D")
    return Sales(ids, named, starts, values, (values > 0).argmax(axis=1))
