"""How many units of each product to order tonight, and why.

A reorder point and an order-up-to level, reviewed every night (Silver, Pyke and Thomas 2017, chapter 6): the point is a
quantile of the demand until an order of the next review would be there, the level adds what sells while an order lasts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.reorder.costs import YEAR, Costs, Goods, critical_ratio, economic_days, in_packs, smallest_order
from models.reorder.lead_time import (
    Demand,
    Periods,
    demand_within,
    level_of_ratio,
    mean_daily,
    periods_of,
    probability_short,
    quantile,
    units_short,
)

Floats = NDArray[np.float64]
REVIEW_DAYS = 1
DEFAULT_LEAD_TIME_DAYS = 14
"""Taken where a product states none; the reason says so."""
DEFAULT_LEVEL = 0.95
"""Taken where the level is to come from costs that are not known; the reason says so."""
LEAST_DAILY = 1e-6
"""Units a day that anything is taken to sell at least, so that a pack lasts for a finite time."""
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


class _Policy(NamedTuple):
    """What decides an order, [n] each."""

    lead: NDArray[np.int64]
    """Days."""
    is_assumed: NDArray[np.bool_]
    """No lead time is given."""
    cover_days: Floats
    """Days that an order is to last after the lead time."""
    within: Demand
    """Until an order of the next review would be there."""
    cover: Demand
    """Until that order has sold."""
    level: Floats
    """Service level."""
    source: NDArray[np.str_]
    """Where the level comes from."""


def reorder_plan(
    forecasts: pd.DataFrame,
    products: pd.DataFrame,
    stock: pd.DataFrame,
    *,
    period_days: int,
    service_level: float | None = 0.95,
    costs: Costs | None = None,
    review_days: int = REVIEW_DAYS,
) -> pd.DataFrame:
    """One row for each product of all three frames, sorted by product_id.

    forecasts: product_id, horizon (from 1), units_mean, units_p10, units_p90. products: product_id, unit_price,
    unit_cost, lead_time_days, order_multiple (nulls may be). stock: product_id, on_hand, on_order.
    service_level: share of cycles without a stock-out, above 0 and below 1; None takes each product's from `costs`.
    review_days: until it is looked at again. An order lasts a period, or as long as the economic order quantity, within
    the horizon. Units past the horizon sell as in its last period. expected_cost (of the units held until the cover
    ends, those short within the lead time, the order) is null where unit_cost is. order_quantity is a multiple of
    order_multiple, above 0 exactly below the reorder point, and does not fall as service_level rises.
    """
    if service_level is not None and not 0 < service_level < 1:
        raise ValueError(f"service_level is {service_level}, expected above 0 and below 1, or None: from the costs")
    costs = costs or Costs()
    known = _planned(forecasts, products, stock)
    periods, goods = periods_of(forecasts, known["product_id"], period_days), _goods(known)
    policy = _policy(periods, goods, _floats(known["lead_time_days"]), service_level, costs, review_days)
    stocked = {name: np.nan_to_num(_floats(known[name])).astype(np.int64) for name in ("on_hand", "on_order")}
    position = (stocked["on_hand"] + stocked["on_order"]).astype(np.float64)
    point = np.ceil(quantile(policy.within, policy.level))
    quantity, is_least = _quantities(policy, goods, point, position, costs)
    frame = pd.DataFrame(
        {
            "product_id": known["product_id"],
            **stocked,
            "lead_time_days": policy.lead,
            "reorder_point": point.astype(np.int64),
            "order_quantity": quantity.astype(np.int64),
            "stockout_probability": probability_short(policy.within, position),
            "expected_cost": _cost(goods, policy, position, quantity, costs),
        }
    )
    reasons = _reasons(frame, policy, _also(policy, goods.pack, is_least, period_days))
    return frame.assign(reason=pd.Series(reasons, index=frame.index, dtype="str"))[COLUMNS]


def _planned(forecasts: pd.DataFrame, products: pd.DataFrame, stock: pd.DataFrame) -> pd.DataFrame:
    """The products of all three frames, with their stock."""
    known = products.merge(stock, on="product_id", how="inner", validate="one_to_one")
    return known[known["product_id"].isin(forecasts["product_id"])].sort_values("product_id", ignore_index=True)


def _floats(column: pd.Series) -> Floats:
    return np.asarray(pd.to_numeric(column.astype(object)).to_numpy(np.float64, na_value=np.nan))


def _goods(known: pd.DataFrame) -> Goods:
    price, cost, pack = (_floats(known[name]) for name in ("unit_price", "unit_cost", "order_multiple"))
    return Goods(price, cost, np.maximum(np.nan_to_num(pack, nan=1.0), 1.0))


def _policy(
    periods: Periods, goods: Goods, lead_time: Floats, service_level: float | None, costs: Costs, review_days: int
) -> _Policy:
    """Lead time, cover and level of each product."""
    is_assumed = np.isnan(lead_time)
    lead = np.where(is_assumed, DEFAULT_LEAD_TIME_DAYS, np.maximum(lead_time, 0.0)).astype(np.int64)
    daily = np.maximum(mean_daily(periods), LEAST_DAILY)
    foreseen = np.maximum(periods.mean.shape[1] * periods.days - lead - review_days, periods.days)
    cover_days = np.clip(economic_days(goods, daily, costs), periods.days, foreseen).astype(np.float64)
    within = demand_within(periods, (lead + review_days).astype(np.float64))
    cover = demand_within(periods, lead + review_days + cover_days)
    if service_level is not None:
        level, source = np.full(len(lead), service_level), np.full(len(lead), "set")
    else:
        ordered = np.maximum(cover.mean - within.mean, smallest_order(goods, costs))
        ratio = critical_ratio(goods, np.maximum(cover_days, ordered / daily), costs)
        level = np.where(np.isnan(ratio), DEFAULT_LEVEL, level_of_ratio(ratio, within, ordered))
        source = np.where(np.isnan(ratio), "assumed: its costs are not known", "from its costs")
    return _Policy(lead, is_assumed, cover_days, within, cover, level, source)


def _quantities(
    policy: _Policy, goods: Goods, point: Floats, position: Floats, costs: Costs
) -> tuple[Floats, NDArray[np.bool_]]:
    """[n] units to order, none from the reorder point on, and whether the smallest order is more than was needed."""
    needed = in_packs(np.ceil(point + policy.cover.mean - policy.within.mean) - position, goods.pack)
    least = smallest_order(goods, costs)
    return np.asarray(np.where(position < point, np.maximum(needed, least), 0.0)), np.asarray(least > needed)


def _cost(goods: Goods, policy: _Policy, position: Floats, quantity: Floats, costs: Costs) -> Floats:
    """[n] money: what holding, running short and ordering are expected to cost; NaN where unit_cost is null."""
    left = position + quantity - policy.cover.mean + units_short(policy.cover, position + quantity)
    days = policy.lead + policy.cover_days
    holding = costs.holding_cost_share * goods.cost * np.maximum(left, 0.0) * days / YEAR
    margin = np.maximum(goods.price - goods.cost, 0.0)
    short = costs.stockout_cost_share * margin * units_short(policy.within, position)
    return np.asarray(holding + short + costs.order_cost * (quantity > 0), dtype=np.float64)


def _also(policy: _Policy, pack: Floats, is_least: NDArray[np.bool_], period_days: int) -> list[str]:
    """What else than stock, lead time and level decided each quantity."""
    return [
        (f", to last {days:.0f} days (order cost)" if days > period_days else "")
        + (", the smallest order" if least else "")
        + (f", in packs of {units:.0f}" if units > 1 else "")
        for days, least, units in zip(policy.cover_days, is_least, pack, strict=True)
    ]


def _reasons(plan: pd.DataFrame, policy: _Policy, also: list[str]) -> list[str]:
    """A sentence for each product."""
    found = []
    for row, assumed, level, source, more in zip(
        plan.itertuples(index=False), policy.is_assumed, policy.level, policy.source, also, strict=True
    ):
        units = row.on_hand + row.on_order
        lead = f"{row.lead_time_days} days" + (" (assumed: none is given)" if assumed else "")
        at = f"a lead time of {lead} at a service level of {level:.3g} ({source})"
        if row.order_quantity > 0:
            found.append(
                f"order {row.order_quantity}: {units} in stock and on order, {row.reorder_point} needed over {at}{more}"
            )
        else:
            found.append(f"enough: {units} in stock and on order last {at}")
    return found
