"""Texts as hashed n-grams of words and of the characters in them, in any script."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
BUCKETS = 2**18
WORDS, SHORTEST, LONGEST = 2, 3, 5
"""N-grams: up to two words, and three to five characters of a word with a mark at each end."""
MOST_GRAMS = 4_000
"""N-grams of a text that count, the first."""
IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{IDEOGRAPHS}]|[^\W{IDEOGRAPHS}]+")
"""A word; Chinese and Japanese, written without spaces, count a character as one."""


@dataclass
class Grams:
    """Buckets of n texts one after another: those of text i lie from starts[i] to starts[i + 1]."""

    ids: Ints
    starts: Ints

    def take(self, rows: Ints) -> Grams:
        """The texts of these rows, in their order."""
        sizes = (self.starts[1:] - self.starts[:-1])[rows]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        place = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes) + np.repeat(self.starts[rows], sizes)
        return Grams(self.ids[place], starts)

    def where(self, kept: NDArray[np.bool_]) -> Grams:
        """The buckets that are kept."""
        before = np.concatenate([[0], np.cumsum(kept)])
        return Grams(self.ids[kept], before[self.starts])

    @property
    def texts(self) -> Ints:
        """[ids] the text of each bucket."""
        return np.repeat(np.arange(len(self.starts) - 1), self.starts[1:] - self.starts[:-1])


def grams_of(texts: Sequence[str]) -> Grams:
    """The distinct buckets of each text, sorted: CRC-32 of each n-gram modulo 2 to the 18th."""
    rows = [np.unique(np.array([*map(_bucket, _grams(text))], dtype=np.int64)) for text in texts]
    ids = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    return Grams(ids, np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64))


def _grams(text: str) -> list[str]:
    words = _WORD.findall(text.lower())
    found = ["=" + " ".join(words[at : at + n]) for n in range(1, WORDS + 1) for at in range(len(words) - n + 1)]
    for word in words:
        marked = f"<{word}>"
        found += [marked[at : at + n] for n in range(SHORTEST, LONGEST + 1) for at in range(len(marked) - n + 1)]
    return found[:MOST_GRAMS]


def _bucket(gram: str) -> int:
    return zlib.crc32(gram.encode("utf-8", "surrogatepass")) % BUCKETS
