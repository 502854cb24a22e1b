"""Replies: the resolved ticket of the same intent that is most like an open one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

MOST = 2_000
"""Resolved tickets kept for an intent, the latest."""
LEAST_LIKE = 0.05
"""Cosine under which no reply is suggested."""


@dataclass
class Replies:
    """Ids, intents and vectors of length 1 [m, V] of resolved tickets; no text."""

    ids: list[str]
    intents: list[str]
    vectors: sparse.csr_array

    def nearest(self, vectors: sparse.csr_array, intents: NDArray[Any]) -> list[str | None]:
        """[n] ids by greatest cosine among tickets of the same intent, the latest of equals; None: unlike all."""
        found: list[str | None] = [None] * len(intents)
        own = np.array(self.intents, dtype=object)
        for intent in sorted(set(intents)):
            asked, kept = np.flatnonzero(intents == intent), np.flatnonzero(own == intent)
            if not len(kept):
                continue
            like = (vectors[asked] @ self.vectors[kept].T).toarray()[:, ::-1]  # the latest first
            best = like.argmax(axis=1)
            for row, at in enumerate(asked):
                if like[row, best[row]] >= LEAST_LIKE:
                    found[at] = self.ids[kept[::-1][best[row]]]
        return found


def latest(intents: NDArray[Any], may: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows (in time order) of the latest 2,000 of each intent among those that may be a source."""
    rows = np.flatnonzero(may)
    kept = [rows[intents[rows] == intent][-MOST:] for intent in sorted(set(intents))]
    return np.sort(np.concatenate(kept)) if kept else rows
