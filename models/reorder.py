"""The reorder plan: how many units of each product to order tonight, from forecast, lead time and stock.

An order-up-to policy with a review every night (Silver, Pyke and Thomas 2017): demand over the lead time is taken as
normal, with the periods' means added up and their spreads added as independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
BAND = 2.0 * float(ndtri(0.9))
"""Standard deviations between the 10% and 90% quantiles of a normal distribution."""
REVIEW_DAYS = 1
DEFAULT_LEAD_TIME_DAYS = 14
"""Taken where a product states none; the reason says so."""
COLUMNS = [
    "product_id",
    "on_hand",
    "on_order",
    "lead_time_days",
    "reorder_point",
    "order_quantity",
    "stockout_probability",
    "expected_cost",
    "reason",
]


class Costs(NamedTuple):
    """Shares of the unit cost a year (holding) and of the margin of each unit short (stockout); money for an order."""

    holding_cost_share: float = 0.25
    stockout_cost_share: float = 0.5
    order_cost: float = 0.0


class _Demand(NamedTuple):
    """Mean and standard deviation, each [n], of the units sold within some days."""

    mean: Floats
    spread: Floats


def reorder_plan(
    forecasts: pd.DataFrame,
    products: pd.DataFrame,
    stock: pd.DataFrame,
    *,
    period_days: int,
    service_level: float = 0.95,
    costs: Costs | None = None,
    review_days: int = REVIEW_DAYS,
) -> pd.DataFrame:
    """One row for each product of all three frames, sorted by product_id.

    forecasts: product_id, horizon (from 1), units_mean, units_p10, units_p90. products: product_id, unit_price,
    unit_cost, lead_time_days, order_multiple (nulls may be). stock: product_id, on_hand, on_order.
    service_level: share of cycles without a stock-out, above 0 and below 1. review_days: until it is looked at again.
    Units past the horizon sell as in its last period. expected_cost (of the units held until the cover ends, those
    short within the lead time, the order) is null where unit_cost is. order_quantity is a multiple of order_multiple
    and does not fall as service_level rises.
    """
    _check_level(service_level)
    known = _planned(forecasts, products, stock)
    given = _floats(known["lead_time_days"])
    lead = np.where(np.isnan(given), DEFAULT_LEAD_TIME_DAYS, np.maximum(given, 0.0)).astype(np.int64)
    means, spreads = _periods(forecasts, known["product_id"])
    within = _demand(means, spreads, (lead + review_days) / period_days)
    cover = _demand(means, spreads, (lead + review_days + period_days) / period_days)
    point, target = (np.ceil(np.maximum(_quantile(part, service_level), 0.0)) for part in (within, cover))
    stocked = {name: np.nan_to_num(_floats(known[name])).astype(np.int64) for name in ("on_hand", "on_order")}
    position = (stocked["on_hand"] + stocked["on_order"]).astype(np.float64)
    quantity = _quantity(position, point, target, _floats(known["order_multiple"]))
    frame = pd.DataFrame(
        {
            "product_id": known["product_id"],
            **stocked,
            "lead_time_days": lead,
            "reorder_point": point.astype(np.int64),
            "order_quantity": quantity.astype(np.int64),
            "stockout_probability": _probability_short(within, position),
            "expected_cost": _cost(known, within, cover, position, quantity, lead + period_days, costs or Costs()),
        }
    )
    return frame.assign(reason=pd.Series(_reasons(frame, np.isnan(given)), index=frame.index, dtype="str"))[COLUMNS]


def _check_level(service_level: float) -> None:
    if not 0 < service_level < 1:
        raise ValueError(f"service_level is {service_level}, expected above 0 and below 1")


def _quantity(position: Floats, point: Floats, target: Floats, multiple: Floats) -> Floats:
    """[n] units up to the target in whole multiples, where the position is below the reorder point."""
    multiple = np.maximum(np.nan_to_num(multiple, nan=1.0), 1.0)
    ordered = np.ceil(np.maximum(target - position, 0.0) / multiple) * multiple
    return np.asarray(np.where(position < point, ordered, 0.0))


def _planned(forecasts: pd.DataFrame, products: pd.DataFrame, stock: pd.DataFrame) -> pd.DataFrame:
    """The products of all three frames, with their stock."""
    known = products.merge(stock, on="product_id", how="inner", validate="one_to_one")
    return known[known["product_id"].isin(forecasts["product_id"])].sort_values("product_id", ignore_index=True)


def _floats(column: pd.Series) -> Floats:
    return np.asarray(pd.to_numeric(column.astype(object)).to_numpy(np.float64, na_value=np.nan))


def _periods(forecasts: pd.DataFrame, product: pd.Series) -> tuple[Floats, Floats]:
    """[n, H] means and standard deviations by product and period."""
    mean, low, high = (
        forecasts.pivot(index="product_id", columns="horizon", values=name)
        .reindex(product)
        .sort_index(axis=1)
        .to_numpy(np.float64)
        for name in ("units_mean", "units_p10", "units_p90")
    )
    return mean, np.maximum(high - low, 0.0) / BAND


def _demand(means: Floats, spreads: Floats, periods: Floats) -> _Demand:
    """Demand over [n] numbers of periods, the last a part; past the horizon each is like the last."""
    horizon = means.shape[1]
    if not means.size:
        return _Demand(np.zeros(len(means)), np.zeros(len(means)))
    share = np.clip(periods[:, None] - np.arange(horizon)[None], 0.0, 1.0)  # [n, H]
    beyond = np.maximum(periods - horizon, 0.0)
    mean = (means * share).sum(axis=1) + means[:, -1] * beyond
    variance = (spreads**2 * share).sum(axis=1) + spreads[:, -1] ** 2 * beyond
    return _Demand(mean, np.sqrt(variance))


def _quantile(demand: _Demand, level: float) -> Floats:
    return np.asarray(demand.mean + float(ndtri(level)) * demand.spread)


def _z(demand: _Demand, units: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (units - demand.mean) / demand.spread
    return np.asarray(np.where(demand.spread > 0, z, np.where(units >= demand.mean, np.inf, -np.inf)))


def _probability_short(demand: _Demand, units: Floats) -> Floats:
    """[n] chance that more sells within the lead time than is in stock and on order."""
    return np.asarray(ndtr(-_z(demand, units)), dtype=np.float64)


def _units_short(demand: _Demand, units: Floats) -> Floats:
    """[n] expected units that cannot be sold: spread * (density - z * chance)."""
    z = np.clip(_z(demand, units), -40.0, 40.0)
    short = demand.spread * (np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi) - z * ndtr(-z))
    return np.asarray(np.where(demand.spread > 0, np.maximum(short, 0.0), np.maximum(demand.mean - units, 0.0)))


def _cost(
    products: pd.DataFrame,
    within: _Demand,
    cover: _Demand,
    position: Floats,
    quantity: Floats,
    days: Floats | NDArray[np.int64],
    costs: Costs,
) -> Floats:
    """[n] money: what holding, running short and ordering are expected to cost; NaN where unit_cost is null."""
    price, cost = _floats(products["unit_price"]), _floats(products["unit_cost"])
    left = position + quantity - cover.mean + _units_short(cover, position + quantity)
    holding = costs.holding_cost_share * cost * np.maximum(left, 0.0) * np.asarray(days) / 365.0
    short = costs.stockout_cost_share * np.maximum(price - cost, 0.0) * _units_short(within, position)
    return np.asarray(holding + short + costs.order_cost * (quantity > 0), dtype=np.float64)


def _reasons(plan: pd.DataFrame, is_assumed: NDArray[np.bool_]) -> list[str]:
    """A sentence for each product."""
    found = []
    for row, assumed in zip(plan.itertuples(index=False), is_assumed, strict=True):
        units = row.on_hand + row.on_order
        lead = f"{row.lead_time_days} days" + (" (assumed: none is given)" if assumed else "")
        if row.order_quantity > 0:
            found.append(
                f"order {row.order_quantity}: {units} in stock and on order, {row.reorder_point} needed over a "
                f"lead time of {lead}"
            )
        else:
            found.append(f"enough: {units} in stock and on order last the lead time of {lead}")
    return found
