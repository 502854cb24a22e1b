"""Content of products as buckets of hashed words: category path, words of the title, size of the price."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import numpy as np
import pandas as pd

from models.recommendations.sequence.packing import Ints

CATEGORY, NAME, PRICE = "category", "title", "mean_price"
MOST_WORDS = 16
"""Words of a product that count: its categories, its price, then the first of its title."""
_WORD, _PATH = re.compile(r"\w\w+"), re.compile(r"\s*[>/|]\s*")


def word_buckets(products: pd.DataFrame, names: pd.Index, buckets: int) -> Ints:
    """[N, 16] buckets 1..buckets of the words of each of `names`, 0 where there are fewer.

    products: product_id and any of category, title, mean_price; the last row of a product counts.
    """
    rows = products.drop_duplicates("product_id", keep="last").set_index("product_id").reindex(names)
    columns = [rows[name].tolist() if name in rows else [None] * len(rows) for name in (CATEGORY, PRICE, NAME)]
    found = np.zeros((len(names), MOST_WORDS), np.int64)
    for place, (category, price, title) in enumerate(zip(*columns, strict=True)):
        for column, word in zip(range(MOST_WORDS), _words(category, price, title), strict=False):
            found[place, column] = 1 + zlib.crc32(word.encode()) % buckets
    return found


def _words(category: object, price: object, title: object) -> Iterator[str]:
    if isinstance(category, str):
        parts = _PATH.split(category.lower())
        for depth in range(len(parts)):
            yield "category " + ">".join(parts[: depth + 1])
    if isinstance(price, (int, float)) and price > 0:
        yield f"price {round(2 * np.log2(float(price)))}"
    if isinstance(title, str):
        for word in _WORD.findall(title.lower()):
            yield "title " + word
