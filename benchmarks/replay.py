"""Weeks of reordering, one by one: what a policy's orders come to when it meets what customers wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.bootstrap import paired_gain
from models.metrics import DENOMINATOR, NUMERATOR
from models.reorder import Costs, reorder_plan

Floats = NDArray[np.float64]
WEEK = 7
RESAMPLES = 1000


class Shop(NamedTuple):
    """What every policy meets."""

    wanted: Floats
    """[n, weeks] units that customers wanted."""
    products: pd.DataFrame
    """product_id, unit_price, unit_cost, lead_time_days (whole weeks), order_multiple"""
    on_hand: NDArray[np.int64]
    """[n] units on the first morning."""
    costs: Costs


class Outcome(NamedTuple):
    """What a policy came to, [n] each."""

    holding: Floats
    lost: Floats
    ordering: Floats
    stock: Floats
    units_lost: Floats

    @property
    def cost(self) -> Floats:
        """Money over all weeks."""
        return self.holding + self.lost + self.ordering


def replay(shop: Shop, told: Sequence[pd.DataFrame], level: float | None) -> Outcome:
    """Every week: receive, order by the plan on that week's forecast, sell what is there; the rest is lost."""
    count, weeks = shop.wanted.shape
    arrives = -(-shop.products["lead_time_days"].to_numpy(np.int64) // WEEK)
    due = np.zeros((weeks + int(arrives.max()) + 1, count))
    on_hand = shop.on_hand.astype(np.float64)
    stock, short, orders = np.zeros((3, count))
    for week in range(weeks):
        on_hand += due[week]
        known = {"on_hand": on_hand.astype(np.int64), "on_order": due[week + 1 :].sum(axis=0).astype(np.int64)}
        plan = reorder_plan(
            told[week],
            shop.products,
            pd.DataFrame({"product_id": shop.products["product_id"]} | known),
            period_days=WEEK,
            service_level=level,
            costs=shop.costs,
            review_days=WEEK,
        )
        ordered = plan["order_quantity"].to_numpy(np.float64)
        orders += ordered > 0
        due[week + arrives, np.arange(count)] += ordered
        on_hand += np.where(arrives == 0, due[week], 0.0)
        short += np.maximum(shop.wanted[:, week] - on_hand, 0.0)
        on_hand = np.maximum(on_hand - shop.wanted[:, week], 0.0)
        stock += on_hand
    return _outcome(shop, stock, short, orders)


def _outcome(shop: Shop, stock: Floats, short: Floats, orders: Floats) -> Outcome:
    price, unit = (shop.products[name].to_numpy(np.float64) for name in ("unit_price", "unit_cost"))
    holding = shop.costs.holding_cost_share * unit * stock * WEEK / 365.0
    lost = shop.costs.stockout_cost_share * np.maximum(price - unit, 0.0) * short
    return Outcome(holding, lost, shop.costs.order_cost * orders, stock / shop.wanted.shape[1], short)


def figures(found: Mapping[str, Outcome], wanted: Floats) -> dict[str, Any]:
    """Money, mean stock and unit fill rate of every policy."""
    return {
        name: {
            "cost": round(float(one.cost.sum()), 1),
            "holding": round(float(one.holding.sum()), 1),
            "lost_margin": round(float(one.lost.sum()), 1),
            "ordering": round(float(one.ordering.sum()), 1),
            "mean_stock": round(float(one.stock.sum()), 1),
            "fill_rate": round(float(1.0 - one.units_lost.sum() / wanted.sum()), 4),
        }
        for name, one in found.items()
    }


def cheaper(ours: Outcome, other: Outcome, wanted: Floats, seed: int) -> list[float]:
    """Share by which ours costs less, with its interval over products."""
    pair = [
        pd.DataFrame({NUMERATOR: one.cost, DENOMINATOR: np.maximum(wanted.sum(axis=1), 1e-9)}) for one in (ours, other)
    ]
    return [round(part, 4) for part in paired_gain(*pair, seed=seed)]


def fill_at_equal_stock(
    ours: Sequence[Outcome], other: Sequence[Outcome], wanted: Floats, seed: int
) -> list[dict[str, Any]]:
    """At the mean stock of each of the other's outcomes that ours span: both fill rates, and how much higher ours is.

    Ours lies on the line between two of its outcomes. The interval is over products drawn with replacement, 95%.
    """
    random, count = np.random.default_rng(seed), len(wanted)
    drawn = random.multinomial(count, np.full(count, 1.0 / count), RESAMPLES).astype(np.float64)
    drawn = np.concatenate([np.ones((1, count)), drawn])  # [1 + B, n], the store itself first
    curve, points = (_stock_and_fill(outcomes, wanted, drawn) for outcomes in (ours, other))
    found = []
    for stocks, fills in zip(*points, strict=True):
        mine = np.array([_between(*draw) for draw in zip(stocks, curve[0].T, curve[1].T, strict=True)])
        if np.isfinite(mine[0]):
            low, high = np.nanquantile(mine - fills, [0.025, 0.975])
            named = {"mean_stock": stocks[0], "naive": fills[0], "ours": mine[0], "higher": mine[0] - fills[0]}
            found.append({k: round(float(v), 4) for k, v in (named | {"low": low, "high": high}).items()})
    return found


def _stock_and_fill(outcomes: Sequence[Outcome], wanted: Floats, drawn: Floats) -> tuple[Floats, Floats]:
    """Two [L, 1 + B] arrays: mean stock and fill rate of each outcome in each draw."""
    units = drawn @ wanted.sum(axis=1)
    return (
        np.stack([drawn @ one.stock for one in outcomes]),
        np.stack([1.0 - drawn @ one.units_lost / units for one in outcomes]),
    )


def _between(stock: float, stocks: Floats, fills: Floats) -> float:
    """The fill rate at a stock on the line through the points, NaN outside of it."""
    order = np.argsort(stocks)
    return float(np.interp(stock, stocks[order], fills[order], left=np.nan, right=np.nan))
