"""Demand: how much of each product will sell in each coming period, as mean and quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from models.protocol import Features, Model
from pipelines.home import Home
from pipelines.scoring.frames import AtCutoffs
from pipelines.scoring.outputs import Measures, Tables


class DemandOutput(AtCutoffs):
    """Products times periods; judged by WAPE of the median."""

    name = "demand"
    metric = "wape"
    higher_is_better = False
    figures = ("wape", "mase", "scaled_pinball", "coverage_80", "bias")
    features: Mapping[str, str] = {
        "demand_products": "features_demand_products",
        "demand_periods": "features_demand_periods",
    }
    facts: Mapping[str, str] = {"products": "dim_products", "stock": "features_stock"}
    targets = "features_demand_targets"

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
        }

    def label(self, home: Home, metric: str) -> str:
        """The metric's name where figures are compared."""
        return metric

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

    def tables(
        self, home: Home, as_of: date, model: Model, features: Features, facts: Features, version: str
    ) -> Tables:
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
            costs=Costs(demand.holding_cost_share, demand.stockout_cost_share, demand.order_cost),
        )
        return {"demand_forecasts": forecasts, "reorder_plan": plan, "demand_totals": totals}

    def unserved(self, features: Features, tables: Tables) -> int:
        """None: every product in scope has a forecast."""
        return 0
