"""Lists for customers without history, by country and channel: what is popular there, where enough customers say so."""

from __future__ import annotations

import numpy as np
import pandas as pd

LEAST_CUSTOMERS = 100
"""Customers of a segment in the last 91 days, under which it gets no list of its own."""
PRIOR = 50.0
"""Customers that the list of all counts as beside a segment's own."""


def segment_lists(default: pd.DataFrame, segments: pd.DataFrame, top_k: int) -> pd.DataFrame:
    """country, channel, rank, product_id, score: the list of all (both empty), then one for each large segment.

    default: rank, product_id, score, the best first. segments: country, channel (empty for any), product_id, customers,
    segment_customers. A segment's score is (customers + 50 * share) / (segment_customers + 50), the share that of
    `default`'s scores by their sum: an empirical Bayes estimate of how likely a customer there buys the product.
    """
    everyone = default[["rank", "product_id", "score"]].assign(country="", channel="")
    large = segments[segments["segment_customers"] >= LEAST_CUSTOMERS]
    keys = large[["country", "channel", "segment_customers"]].drop_duplicates(ignore_index=True)
    crossed = keys.merge(everyone[["product_id", "score"]], how="cross")
    crossed = crossed.merge(
        large[["country", "channel", "product_id", "customers"]], how="left", on=["country", "channel", "product_id"]
    )
    share = crossed["score"] / max(float(everyone["score"].sum()), 1e-12)
    own = crossed["customers"].fillna(0).astype(np.float64)
    crossed["score"] = (own + PRIOR * share) / (crossed["segment_customers"] + PRIOR)
    crossed = crossed.sort_values(
        ["country", "channel", "score", "product_id"], ascending=[True, True, False, True], ignore_index=True
    )
    crossed["rank"] = crossed.groupby(["country", "channel"]).cumcount().to_numpy(np.int64) + 1
    columns = ["country", "channel", "rank", "product_id", "score"]
    both = pd.concat([everyone[columns], crossed[columns]], ignore_index=True)
    return both[both["rank"] <= top_k].reset_index(drop=True)
