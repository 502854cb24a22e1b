"""The hold-out: customers who are shown the default list, so that what the model's own lists add can be measured."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.recommendations.lists import COLUMNS

MODEL, HOLDOUT = "model", "holdout"
"""The two arms."""
KEY_BYTES = 16  # of the keyed hash, as letters


def in_holdout(customers: pd.Series, share: float, seed: int) -> NDArray[np.bool_]:
    """[N] whether each customer is held out: by a keyed hash of the id alone, so every night says the same.

    A greater share keeps those of a smaller one; another seed draws others.
    """
    key = hashlib.blake2b(f"hold-out {seed}".encode(), digest_size=KEY_BYTES // 2).hexdigest()
    place = pd.util.hash_array(customers.to_numpy(dtype=object), hash_key=key, categorize=False)
    return np.asarray(place / 2.0**64 < share, dtype=np.bool_)


def default_lists(customers: pd.DataFrame, defaults: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Each customer's default list: that of their country where it has one, else that of all.

    customers: as_of, customer_id, country (null where not known). defaults: country, channel (empty for any), rank,
    product_id, score. like: lists whose columns and types are taken on.
    """
    by_country = defaults[defaults["channel"] == ""]
    has_own = customers["country"].isin(by_country.loc[by_country["country"] != "", "country"])
    whose = customers.assign(country=customers["country"].where(has_own, "").astype(object))
    found = whose.merge(by_country.astype({"country": object}), on="country", how="inner")
    found = found.assign(reason="popular", reason_product_id=None).sort_values(["customer_id", "rank"])
    return found[COLUMNS].astype({name: like[name].dtype for name in COLUMNS}).reset_index(drop=True)
