"""Bands of an amount, for segments that mean the same in every shop."""

from __future__ import annotations

import pandas as pd

BANDS = ("low", "middle", "high")


def bands(amounts: pd.Series) -> pd.Series:
    """The third of the amounts that each is in; equal amounts are in one, null where there is none."""
    place = amounts.astype("float64").rank(pct=True)
    return pd.cut(place, [0.0, 1 / 3, 2 / 3, 1.0], labels=list(BANDS)).astype(object)
