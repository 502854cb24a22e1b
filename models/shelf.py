"""What is made of the same frames again and again, by several fits or contestants: made once, kept within a limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import pandas as pd
from scipy import sparse

Made = TypeVar("Made")
LIMIT = 512 * 2**20
"""Bytes."""


class Shelf:
    """Things by key, those used last; the oldest go where all together would be larger than `limit` bytes.

    One shelf belongs to one set of frames: keys name a cut-off and who is asked for, not what its rows hold.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.size = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, made once for each key while it is kept. It is shared: not to be changed."""
        if key in self._kept:
            self._kept.move_to_end(key)
            found: Made = self._kept[key][0]
            return found
        made = make()
        size = size_of(made)
        if size <= self.limit:
            self._kept[key] = (made, size)
            self.size += size
        while self.size > self.limit:
            self.size -= self._kept.popitem(last=False)[1][1]
        return made


def size_of(made: Any) -> int:
    """Bytes of frames, arrays, sparse matrices, what has `nbytes`, and what is made up of them."""
    if isinstance(made, pd.DataFrame):
        return int(made.memory_usage(deep=True).sum())
    if isinstance(made, (pd.Series, pd.Index)):
        return int(made.memory_usage(deep=True))
    if isinstance(found := getattr(made, "nbytes", None), int):  # arrays, and what tells it itself
        return found
    if sparse.issparse(made):
        return size_of([made.data, made.indices, made.indptr])
    if is_dataclass(made):
        return sum(size_of(getattr(made, field.name)) for field in fields(made))
    if isinstance(made, Mapping):
        return size_of(list(made.values()))
    return sum(size_of(part) for part in made) if isinstance(made, (list, tuple)) else 0
