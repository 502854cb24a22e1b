"""What stock costs: the service level that a product's costs ask for, how long an order lasts, what a plan costs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
YEAR = 365.0
"""Days."""
LEVELS = (0.01, 0.999)
"""Bounds of a service level from costs: no forecast tells the ends of a distribution."""


class Costs(NamedTuple):
    """Shares of the unit cost a year (holding) and of the margin of each unit short (stockout); money for an order, and
    money at unit cost that an order of a product is at least worth."""

    holding_cost_share: float = 0.25
    stockout_cost_share: float = 0.5
    order_cost: float = 0.0
    minimum_order: float = 0.0


class Goods(NamedTuple):
    """What is known of products, [n] each; NaN where it is null."""

    price: Floats
    cost: Floats
    pack: Floats


def critical_ratio(goods: Goods, days: Floats, costs: Costs) -> Floats:
    """[n] service level at which a unit more costs as much as it saves, within LEVELS.

    short / (short + held): the newsvendor's ratio (Silver, Pyke and Thomas 2017, chapter 9), for a unit that is short
    once a cycle of so many days or held all through it; of lost sales the same (chapter 6).
    NaN where price or cost is null, and where neither costs anything.
    """
    short = costs.stockout_cost_share * np.maximum(goods.price - goods.cost, 0.0)
    held = costs.holding_cost_share * goods.cost * days / YEAR
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.clip(short / (short + held), *LEVELS))


def economic_days(goods: Goods, daily: Floats, costs: Costs) -> Floats:
    """[n] days that the economic order quantity lasts at so many units a day; 0 where cost is null or orders are free.

    sqrt(2 * order / (held a year * units a year)) years (Silver, Pyke and Thomas 2017, chapter 4).
    """
    held = costs.holding_cost_share * goods.cost * np.maximum(daily, 0.0) * YEAR
    with np.errstate(divide="ignore", invalid="ignore"):
        years = np.sqrt(2.0 * costs.order_cost / held)
    return np.asarray(np.nan_to_num(years * YEAR, nan=0.0, posinf=np.inf))


def smallest_order(goods: Goods, costs: Costs) -> Floats:
    """[n] units of the smallest order, in whole packs: one pack, or what the minimum order buys where cost is known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        units = costs.minimum_order / goods.cost
    return in_packs(np.where(np.isfinite(units), np.maximum(units, 1.0), 1.0), goods.pack)


def in_packs(units: Floats, pack: Floats) -> Floats:
    """[n] units rounded up to whole packs."""
    return np.asarray(np.ceil(units / pack) * pack)
