"""Products a part at a time, so that memory follows the part and not the store."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CHUNK = 5_000
"""Products whose features are held at once."""


def parts(rows: NDArray[np.int64], size: int = CHUNK) -> Iterator[NDArray[np.int64]]:
    """The rows, `size` at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def chunks(count: int) -> Iterator[NDArray[np.int64]]:
    """The numbers below `count`, CHUNK at a time."""
    return parts(np.arange(count))


def some(count: int, most: int, seed: list[int]) -> NDArray[np.int64]:
    """The numbers below `count`, in order: all of them, or `most` drawn by the seed."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
