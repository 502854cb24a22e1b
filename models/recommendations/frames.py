"""The frames of one cut-off: of all customers, or of those alone who are asked for."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.dates import rows_of, to_days
from models.protocol import Features
from models.recommendations.popular import BOUGHT, TARGET_DAYS, bought_by, eligible_targets

EVERYONE = "everyone"
"""The frame of all purchases, where `customer_products` was narrowed to the customers that are judged."""


def at_cutoff(features: Features, day: np.datetime64) -> Features:
    """The frames with the rows of one cut-off."""
    return {name: rows_of(frame, to_days(frame["as_of"]) == day) for name, frame in features.items()}


def cutoff_of(features: Features) -> str:
    """The cut-off of frames that hold one; NaT where they hold none."""
    return str(pd.Timestamp(features["products"]["as_of"].min()))


def identity(features: Features) -> tuple[str, int, str]:
    """What tells the frames of one cut-off from others of the same snapshot: the day, and who is asked for."""
    customers = np.sort(features[BOUGHT]["customer_id"].unique().astype(object))
    digest = hashlib.sha256("\x1f".join(map(str, customers)).encode()).hexdigest()
    return cutoff_of(features), len(customers), digest


def purchases_of_all(features: Features) -> pd.DataFrame:
    """The purchases of all customers, also where `customer_products` was narrowed."""
    return features.get(EVERYONE, features[BOUGHT])


def days_since(bought: pd.DataFrame) -> NDArray[np.float64]:
    """[n] days from last_bought_on to as_of; raises ValueError where a purchase lies in the future."""
    ago = (to_days(bought["as_of"]) - to_days(bought["last_bought_on"])) / np.timedelta64(1, "D")
    if len(ago) and ago.min() < 0:
        raise ValueError(f"{BOUGHT}: found last_bought_on {-ago.min():g} days after as_of: a row from the future")
    return np.asarray(ago, dtype=np.float64)


def counted_targets(features: Features, targets: pd.DataFrame, exclude_bought: bool, cutoffs: int) -> pd.DataFrame:
    """The matured targets of the last cut-offs that a list can be judged by."""
    if targets.empty:
        return targets
    mature = to_days(targets["as_of"]) + np.timedelta64(TARGET_DAYS, "D") <= to_days(targets["known_as_of"])
    latest = np.unique(to_days(targets["as_of"])[mature])[-cutoffs:]
    return eligible_targets(targets[mature & np.isin(to_days(targets["as_of"]), latest)], features, exclude_bought)


def with_purchases_of(features: Features, customers: pd.Series) -> dict[str, pd.DataFrame]:
    """The frames of one cut-off, to score these customers alone; the purchases of all stay within reach."""
    bought = features[BOUGHT]
    kept = bought[bought["customer_id"].isin(customers)].reset_index(drop=True)
    return {**features, BOUGHT: kept, EVERYONE: purchases_of_all(features)}


def asked_for(features: Features, counted: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The frames with the purchases of those customers alone who have a target: no other list is judged."""
    return {**features, BOUGHT: bought_by(features[BOUGHT], counted), EVERYONE: features[BOUGHT]}
