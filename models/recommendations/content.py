"""Content of products as words: category path, size of the price, words of the title."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import islice

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
    found = np.zeros((len(names), MOST_WORDS), np.int64)
    for place, words in enumerate(words_of(products, names)):
        for column, word in enumerate(words):
            found[place, column] = 1 + zlib.crc32(word.encode()) % buckets
    return found


def words_of(products: pd.DataFrame, names: pd.Index) -> list[list[str]]:
    """At most 16 words of each of `names`; products as above, an unknown one has none."""
    rows = products.drop_duplicates("product_id", keep="last").set_index("product_id").reindex(names)
    columns = [rows[name].tolist() if name in rows else [None] * len(rows) for name in (CATEGORY, PRICE, NAME)]
    return [list(islice(_words(*values), MOST_WORDS)) for values in zip(*columns, strict=True)]


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
