"""Demand: how much of each product will sell in each coming period, as mean and quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from models.dates import to_days
from models.protocol import Features, Model
from pipelines.home import Home
from pipelines.scoring.bands import bands
from pipelines.scoring.frames import AtCutoffs, Judged
from pipelines.scoring.outputs import Counts, Measures, Tables

NEW_DAYS = 91
"""Days since a product became known, under which it is new."""
RECENT_PERIODS = 13  # that features_demand_products counts as active_periods_13
REGULAR_INTERVAL = 1.32
"""Mean interval between periods with sales, in periods, up to which they are regular (Syntetos and Boylan 2005)."""


class DemandOutput(AtCutoffs):
    """Products times periods; judged by WAPE of the median."""

    name = "demand"
    metric = "wape"
    higher_is_better = False
    compared = ("wape",)
    guarded = ()
    features: Mapping[str, str] = {
        "demand_products": "features_demand_products",
        "demand_periods": "features_demand_periods",
    }
    facts: Mapping[str, str] = {"products": "dim_products", "stock": "features_stock"}
    targets = "features_demand_targets"
    published = "demand_forecasts"

    def contestants(self) -> tuple[type[Model], ...]:
        """Seasonal naive, the mean of the last eight periods, one for what sells now and then, and one global model."""
        from models.demand import CONTESTANTS

        return CONTESTANTS

    def arguments(self, home: Home, kind: type[Model], as_of: date) -> dict[str, Any]:
        """Horizon and length of a period, and what to compute with."""
        settings = home.settings
        return {
            "horizon": settings.demand.horizon,
            "period_days": settings.demand.period_days,
            "threads": home.threads,
            "seed": settings.compute.seed,
            "device": home.device,
            "country": settings.demand.country,
        }

    def label(self, home: Home, metric: str) -> str:
        """The metric's name where figures are compared."""
        return metric

    def as_published(self, home: Home, rows: pd.DataFrame, truth: pd.DataFrame) -> Judged:
        """Forecasts of periods as long as today's settings ask for, and no further ahead: others have no truth."""
        demand = home.settings.demand
        starts = to_days(rows["as_of"]) + (rows["horizon"].to_numpy() - 1) * np.timedelta64(demand.period_days, "D")
        is_told = (to_days(rows["period_start"]) == starts) & (rows["horizon"].to_numpy() <= demand.horizon)
        return rows[is_told].reset_index(drop=True), truth

    def measure(self, home: Home, predictions: pd.DataFrame, features: Features, truth: pd.DataFrame) -> Measures:
        """Errors per product over all horizons."""
        from models import metrics
        from models.demand.history import naive_scales

        period_days = home.settings.demand.period_days
        scored = metrics.with_actuals(predictions, truth, period_days)
        scales = naive_scales(features, period_days)
        return {
            "wape": metrics.wape(scored),
            "mase": metrics.mase(scored, scales),
            "scaled_pinball": metrics.scaled_pinball(scored, scales),
            "coverage_80": metrics.coverage(scored),
            "bias": metrics.bias(scored),
        }

    def segments(self, features: Features) -> pd.DataFrame:
        """`product` by when it became known; `sales` by the interval between periods with demand (Syntetos 2005).

        And `category`, the first of its levels, and `price` by thirds of the mean that was paid.
        """
        from models.recommendations.rules import LEVELS

        products = features["demand_products"].set_index("product_id")
        age = (to_days(products["as_of"]) - to_days(products["first_known_on"])) / np.timedelta64(1, "D")
        active = products["active_periods_13"].to_numpy(np.float64)
        sales = np.where(active * REGULAR_INTERVAL >= RECENT_PERIODS, "regular", "intermittent")
        periods = features["demand_periods"].astype({"revenue": np.float64, "units": np.float64})
        paid = periods.groupby("product_id")[["revenue", "units"]].sum()
        price = (paid["revenue"] / paid["units"]).where(paid["units"] > 0).reindex(products.index)
        return pd.DataFrame(
            {
                "product": np.where(age < NEW_DAYS, "new", "old"),
                "sales": np.where(active > 0, sales, "none"),
                "category": products["category"].astype("str").str.extract(f"^(.*?)(?:{LEVELS}|$)", expand=False),
                "price": bands(price),
            },
            index=products.index,
        )

    def tables(
        self, home: Home, as_of: date, model: Model, features: Features, facts: Features, version: str
    ) -> tuple[Tables, Counts]:
        """`demand_forecasts` and `demand_totals`, period h starting h - 1 periods after as_of, and `reorder_plan`
        where stock is known."""
        from models.demand.totals import demand_totals
        from models.reorder import Costs, reorder_plan

        demand, forecasts = home.settings.demand, model.predict(features)
        totals = demand_totals(forecasts, features["demand_products"][["product_id", "category"]])
        for frame in (forecasts, totals):
            days = (frame["horizon"] - 1) * demand.period_days
            frame["period_start"] = (pd.Timestamp(as_of) + pd.to_timedelta(days, unit="D")).dt.date
        forecasts["model_version"] = version
        plan = reorder_plan(
            forecasts,
            facts["products"],
            facts["stock"][["product_id", "on_hand", "on_order"]],
            period_days=demand.period_days,
            service_level=demand.service_level,
            costs=Costs(demand.holding_cost_share, demand.stockout_cost_share, demand.order_cost, demand.minimum_order),
        )
        return {"demand_forecasts": forecasts, "reorder_plan": plan, "demand_totals": totals}, {}
