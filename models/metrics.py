"""Metrics, each a function named after it, from frame to per-entity frame.

Every metric here is a ratio of sums over entities (products or customers), so that it can be pooled
over cut-offs and resampled by `models.bootstrap`: a function returns one row per entity with the
columns `numerator` and `denominator`, and `value` divides their sums.

Demand metrics take what `with_actuals` returns: predictions and the `units` that came.
Ranking metrics take recommendations and what the customers bought.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.dates import to_days

NUMERATOR, DENOMINATOR = "numerator", "denominator"
INFLUENCE = "influence"
"""Of a metric whose figure of one entity depends on the others: what an entity adds to theirs, 0 in all."""
QUANTILES = {"units_p10": 0.1, "units_p50": 0.5, "units_p90": 0.9}
"""Forecast column by quantile level."""
DAYS_OUT = "days_out_of_stock"
"""Of a period of demand; frames without the column know of no such day."""


def value(per_entity: pd.DataFrame) -> float:
    """Sum of numerators by sum of denominators; NaN where the latter is zero."""
    below = float(per_entity[DENOMINATOR].sum())
    return float(per_entity[NUMERATOR].sum()) / below if below else float("nan")


def over_all(per_entity: pd.DataFrame) -> pd.DataFrame:
    """Numerator and denominator with the influence in it, where there is one: the same value, and the right interval.

    Only for all entities together: on a few of them influences do not cancel out.
    """
    found = per_entity[[NUMERATOR, DENOMINATOR]]
    return found.assign(**{NUMERATOR: found[NUMERATOR] + per_entity[INFLUENCE]}) if INFLUENCE in per_entity else found


def with_actuals(predictions: pd.DataFrame, targets: pd.DataFrame, period_days: int) -> pd.DataFrame:
    """Predictions whose period had ended by `targets.known_as_of`, with what came as `units` (zeros filled in).

    Periods with a day out of stock are left out: what sold is less than what was wanted, and whoever forecasts the
    latter would be called wrong. Raises ValueError where `targets` is empty: then nobody knows up to when outcomes are
    known.
    """
    if targets.empty:
        raise ValueError("no targets: found no rows, expected units by as_of, product_id and horizon with known_as_of")
    known = to_days(targets["known_as_of"]).max()
    ends = to_days(predictions["as_of"]) + predictions["horizon"].to_numpy() * np.timedelta64(period_days, "D")
    key = ["as_of", "product_id", "horizon"]
    scored = predictions.loc[ends <= known].assign(as_of=lambda frame: _as_date(frame["as_of"]))
    days_out = targets.get(DAYS_OUT, 0)
    came = targets[[*key, "units"]].assign(as_of=_as_date(targets["as_of"]), **{DAYS_OUT: days_out})
    scored = scored.merge(came, on=key, how="left", validate="one_to_one")
    scored = scored[~(scored.pop(DAYS_OUT) > 0)].reset_index(drop=True)
    return scored.assign(units=scored["units"].fillna(0.0).astype(np.float64))


def _as_date(column: pd.Series) -> pd.Series:
    return pd.Series(to_days(column).astype("datetime64[s]"), index=column.index)


def _per_entity(entity: pd.Series, above: NDArray[np.float64], below: NDArray[np.float64]) -> pd.DataFrame:
    frame = pd.DataFrame({NUMERATOR: above, DENOMINATOR: below, "entity": entity.to_numpy()})
    return frame.groupby("entity", sort=True)[[NUMERATOR, DENOMINATOR]].sum()


def _columns(scored: pd.DataFrame, forecast: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return scored["units"].to_numpy(np.float64), scored[forecast].to_numpy(np.float64)


def wape(scored: pd.DataFrame, forecast: str = "units_p50") -> pd.DataFrame:
    """Weighted absolute percentage error: sum of |units - forecast| by sum of units (Kolassa and Schuetz 2007)."""
    units, guess = _columns(scored, forecast)
    return _per_entity(scored["product_id"], np.abs(units - guess), units)


def bias(scored: pd.DataFrame, forecast: str = "units_mean") -> pd.DataFrame:
    """Sum of (forecast - units) by sum of units: positive where too much is forecast."""
    units, guess = _columns(scored, forecast)
    return _per_entity(scored["product_id"], guess - units, units)


def mase(scored: pd.DataFrame, scales: pd.DataFrame, forecast: str = "units_p50") -> pd.DataFrame:
    """Mean absolute scaled error (Hyndman and Koehler 2006).

    `scales` (as_of, product_id, scale in units) is the series' in-sample error, from
    `models.demand.history.naive_scales`; rows without a positive scale are left out.
    """
    scored, scale = _scaled(scored, scales)
    units, guess = _columns(scored, forecast)
    return _per_entity(scored["product_id"], np.abs(units - guess) / scale, np.ones(len(scale)))


def scaled_pinball(scored: pd.DataFrame, scales: pd.DataFrame) -> pd.DataFrame:
    """Pinball loss, averaged over the quantiles, by the same scale as `mase` (M5 uncertainty, Makridakis 2022)."""
    scored, scale = _scaled(scored, scales)
    losses = []
    for column, level in QUANTILES.items():
        units, guess = _columns(scored, column)
        losses.append(np.maximum(level * (units - guess), (level - 1.0) * (units - guess)))
    return _per_entity(scored["product_id"], np.mean(losses, axis=0) / scale, np.ones(len(scale)))


def _scaled(scored: pd.DataFrame, scales: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    key = ["as_of", "product_id"]
    scored = scored.assign(as_of=_as_date(scored["as_of"]))
    scored = scored.merge(scales.assign(as_of=_as_date(scales["as_of"])), on=key, how="left", validate="many_to_one")
    scored = scored[scored["scale"] > 0]
    return scored, scored["scale"].to_numpy(np.float64)


def coverage(scored: pd.DataFrame, low: str = "units_p10", high: str = "units_p90") -> pd.DataFrame:
    """Share of outcomes within [low, high], bounds included."""
    units = scored["units"].to_numpy(np.float64)
    inside = (units >= scored[low].to_numpy(np.float64)) & (units <= scored[high].to_numpy(np.float64))
    return _per_entity(scored["product_id"], inside.astype(np.float64), np.ones(len(units)))


def ndcg_at_k(recommendations: pd.DataFrame, bought: pd.DataFrame, k: int) -> pd.DataFrame:
    """Normalised discounted cumulative gain of the first k, binary gains (Jarvelin and Kekalainen 2002)."""
    hits, relevant = _hits(recommendations, bought, k)
    gain = pd.Series(1.0 / np.log2(hits["rank"].to_numpy(np.float64) + 1.0), dtype=np.float64)
    discounts = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(k) + 2.0))])
    ideal = discounts[np.minimum(relevant["relevant"].to_numpy(), k)]
    return _per_customer(hits, relevant, gain.to_numpy(), ideal)


def recall_at_k(recommendations: pd.DataFrame, bought: pd.DataFrame, k: int) -> pd.DataFrame:
    """Share of what a customer bought that is among the first k, averaged over customers."""
    hits, relevant = _hits(recommendations, bought, k)
    return _per_customer(hits, relevant, np.ones(len(hits)), relevant["relevant"].to_numpy(np.float64))


def hit_rate_at_k(recommendations: pd.DataFrame, bought: pd.DataFrame, k: int) -> pd.DataFrame:
    """Share of customers who bought at least one of the first k."""
    hits, relevant = _hits(recommendations, bought, k)
    first = ~hits.duplicated(["as_of", "customer_id"])
    return _per_customer(hits, relevant, first.to_numpy(np.float64), np.ones(len(relevant)))


def _hits(recommendations: pd.DataFrame, bought: pd.DataFrame, k: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The recommended rows that were bought, and the number of bought products by as_of and customer."""
    if k < 1:
        raise ValueError(f"k is {k}, expected at least 1")
    key = ["as_of", "customer_id", "product_id"]
    bought = bought[key].assign(as_of=_as_date(bought["as_of"])).drop_duplicates()
    shown = recommendations.loc[recommendations["rank"] <= k, [*key, "rank"]]
    hits = shown.assign(as_of=_as_date(shown["as_of"])).merge(bought, on=key, how="inner", validate="one_to_one")
    relevant = bought.groupby(["as_of", "customer_id"], sort=True).size().rename("relevant").reset_index()
    return hits.sort_values(["as_of", "customer_id", "rank"], ignore_index=True), relevant


def _per_customer(
    hits: pd.DataFrame, relevant: pd.DataFrame, gain: NDArray[np.float64], ideal: NDArray[np.float64]
) -> pd.DataFrame:
    """Customers who bought something: their mean over cut-offs of gain by ideal, as sums."""
    key = ["as_of", "customer_id"]
    gained = hits[key].assign(gain=gain).groupby(key, sort=True)["gain"].sum().reset_index()
    merged = relevant.assign(ideal=ideal).merge(gained, on=key, how="left", validate="one_to_one")
    share = (merged["gain"].fillna(0.0) / merged["ideal"]).to_numpy(np.float64)
    return _per_entity(merged["customer_id"], share, np.ones(len(share)))
