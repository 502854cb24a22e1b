"""Randomness that belongs to a row: drawn from its keys, so chunks, order and what comes later change nothing."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]
Times = npt.NDArray[np.datetime64]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def hashes(seed: int, stream: str, *keys: npt.ArrayLike) -> Hashes:
    """64 random bits for each row of keys (splitmix64, chained over the keys)."""
    state: Any = np.atleast_1d(np.uint64(zlib.crc32(stream.encode()) | (seed & 0xFFFFFFFF) << 32))
    with np.errstate(over="ignore"):
        for key in (0, *keys):
            bits: Any = (state ^ np.atleast_1d(np.asarray(key)).astype(np.int64).view(np.uint64)) + _ODD
            bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
            bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
            state = bits ^ (bits >> np.uint64(31))
    return np.asarray(state, np.uint64)


def uniform(seed: int, stream: str, *keys: npt.ArrayLike) -> Floats:
    """A number between 0 and 1, both excluded, for each row of keys."""
    return (hashes(seed, stream, *keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54


def normal(seed: int, stream: str, *keys: npt.ArrayLike) -> Floats:
    """A standard normal number for each row of keys."""
    return np.asarray(ndtri(uniform(seed, stream, *keys)), np.float64)


def integers(seed: int, stream: str, below: npt.ArrayLike, *keys: npt.ArrayLike) -> Ints:
    """An integer from 0 to `below` - 1 for each row of keys."""
    drawn: Ints = (uniform(seed, stream, *keys) * np.asarray(below)).astype(np.int64)
    return drawn


def choice(seed: int, stream: str, weights: npt.ArrayLike, *keys: npt.ArrayLike) -> Ints:
    """The place of one of the weights, in proportion to them, for each row of keys."""
    steps = np.cumsum(np.asarray(weights, np.float64))
    return np.searchsorted(steps / steps[-1], uniform(seed, stream, *keys)).astype(np.int64)


def days_later(times: Times, days: Floats) -> Times:
    """The times moved by so many days, to the second."""
    moved: Times = times + (days * 86_400).astype(np.int64).astype("timedelta64[s]")
    return moved


def within_day(times: Times, seconds: npt.ArrayLike) -> Times:
    """The times moved by so many seconds, but never out of their day."""
    day = times.astype("datetime64[D]").astype("datetime64[us]")
    moved = times + np.asarray(seconds).astype(np.int64).astype("timedelta64[s]")
    kept: Times = np.clip(moved, day, day + np.timedelta64(86_399, "s"))
    return kept
