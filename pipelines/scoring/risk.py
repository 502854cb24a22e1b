"""Risk: how likely each new payment is to be charged back, why, and whether to accept, review or block it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from models.protocol import Features, Model
from pipelines.home import Home
from pipelines.scoring.bands import bands
from pipelines.scoring.frames import OfEvents
from pipelines.scoring.outputs import Counts, Measures, Tables

REVIEWED, BEFORE = "customer_precision", "customer_payments_before"
COST, STOPPED, SAVED = "cost_per_night", "false_positive_rate", "saved_money"
COUNTRY, AMOUNT = "billing_country", "amount"


class RiskOutput(OfEvents):
    """Payments; judged by average precision on those whose label has matured."""

    name = "risk"
    metric = "average_precision"
    higher_is_better = True
    compared = ("average_precision",)
    guarded = (STOPPED, COST)
    features: Mapping[str, str] = {"payments": "features_payments"}
    facts: Mapping[str, str] = {}
    targets = "features_payment_targets"
    published = "risk_flags"

    def contestants(self) -> tuple[type[Model], ...]:
        """A rule on the amount, and trees on all features."""
        from models.risk import CONTESTANTS

        return CONTESTANTS

    def arguments(self, home: Home, kind: type[Model], as_of: date) -> dict[str, Any]:
        """What to compute with."""
        shared = {"threads": home.threads, "seed": home.settings.compute.seed, "device": home.device}
        return shared | ({"monotone": home.settings.risk.monotone} if kind.name == "xgboost_risk" else {})

    def label(self, home: Home, metric: str) -> str:
        """The metric's name where figures are compared, with the number of reviews where it counts."""
        if metric in self.guarded:
            return f"{metric}_at_{home.settings.risk.reviews_per_night}"
        return f"{metric}_at_{self._reviews(home)}" if metric == REVIEWED else metric

    def measure(self, home: Home, predictions: pd.DataFrame, features: Features, truth: pd.DataFrame) -> Measures:
        """Ranking and calibration on matured payments and whom the decisions stop, by customer; money, by night."""
        from models.risk import metrics

        judged = metrics.with_labels(predictions, features["payments"], truth)
        return {
            "average_precision": metrics.average_precision(judged),
            "roc_auc": metrics.roc_auc(judged),
            REVIEWED: metrics.customer_precision_at_k(judged, self._reviews(home)),
            "brier": metrics.brier(judged),
            "log_loss": metrics.log_loss(judged),
            "expected_calibration_error": metrics.expected_calibration_error(judged),
            **self._decisions(home, judged, features["payments"]),
        }

    @staticmethod
    def _decisions(home: Home, judged: pd.DataFrame, payments: pd.DataFrame) -> Measures:
        """Whom the decisions stop and what they cost at the settings, and what they save by reviews a night."""
        from models.risk import money

        risk = home.settings.risk
        costs = {"review_cost": risk.review_cost, "block_cost": risk.block_cost}
        capacities = sorted({*money.REVIEWS, risk.reviews_per_night})
        decided = {reviews: money.decide_nights(judged, payments, reviews=reviews, **costs) for reviews in capacities}
        tonight = decided[risk.reviews_per_night]
        return {
            STOPPED: money.false_positive_rate(tonight),
            COST: money.cost_per_night(tonight, **costs),
            **{f"{SAVED}_at_{reviews}": money.saved_money(nights, **costs) for reviews, nights in decided.items()},
        }

    def segments(self, features: Features) -> pd.DataFrame:
        """Of the payer's first of these payments: `customer` (known to have paid before, new, guest), and `country`.

        The country is that of billing, where the features hold it; `amount` is in thirds.
        """
        from models.risk.metrics import entities

        payments = features["payments"].sort_values(["paid_at", "payment_id"])
        told = [name for name in ("is_guest", BEFORE, COUNTRY, AMOUNT) if name in payments.columns]
        first = payments.set_index(entities(payments)).groupby(level=0, sort=True)[told].first()
        known = np.where(first[BEFORE] > 0, "known", "new")
        first["customer"] = np.where(first["is_guest"] > 0, "guest", known)
        first[AMOUNT] = bands(first[AMOUNT])
        return first.rename(columns={COUNTRY: "country"}).drop(columns=["is_guest", BEFORE])

    def tables(
        self, home: Home, as_of: date, model: Model, features: Features, facts: Features, version: str
    ) -> tuple[Tables, Counts]:
        """`risk_flags`: the cheapest decision for each payment, within what people can review."""
        from models.risk import decide

        risk = home.settings.risk
        payments = features["payments"][["payment_id", "order_id", "amount"]]
        decided = decide(
            model.predict(features).merge(payments, on="payment_id", validate="one_to_one"),
            review_cost=risk.review_cost,
            block_cost=risk.block_cost,
            reviews_per_night=risk.reviews_per_night,
        )
        return {"risk_flags": decided.assign(model_version=version)}, {}

    @staticmethod
    def _reviews(home: Home) -> int:
        return max(home.settings.risk.reviews_per_night, 1)
