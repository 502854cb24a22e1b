"""Recommendations: what to show each customer tomorrow, and what to show those without history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from models.protocol import Features, Model
from pipelines.home import Home
from pipelines.scoring.frames import AtCutoffs, Frames, Learning
from pipelines.scoring.outputs import Measures, Tables

MOST_JUDGED = 20_000
"""Customers who bought something after a cut-off that contestants are judged on, drawn by their id; all are served."""
DRAW = "nightcart judges"  # 16 bytes: the seed of the draw, the same at every cut-off


class RecommendationsOutput(AtCutoffs):
    """Customers times ranks; judged by NDCG at the length of the list, on what is bought in the 28 days after."""

    name = "recommendations"
    metric = "ndcg"
    higher_is_better = True
    figures = ("ndcg", "recall", "hit_rate")
    features: Mapping[str, str] = {
        "product_popularity": "features_product_popularity",
        "customer_products": "features_customer_products",
        "products": "features_products",
    }
    facts: Mapping[str, str] = {}
    targets = "features_recommendation_targets"

    def contestants(self) -> tuple[type[Model], ...]:
        """The list of the whole year, that of the last weeks with decay, and what each customer bought before."""
        from models.recommendations import CONTESTANTS

        return CONTESTANTS

    def arguments(self, home: Home) -> dict[str, Any]:
        """Length of the list and what may be on it."""
        settings = home.settings
        return {
            "top_k": settings.recommendations.top_k,
            "exclude_bought": settings.recommendations.exclude_bought,
            "seed": settings.compute.seed,
        }

    def judging(self, frames: Frames, cutoff: date, as_of: date) -> Learning:
        """One cut-off of the customers that are judged, all purchases as `everyone`, and what was bought after it."""
        from models.recommendations.lists import EVERYONE
        from models.recommendations.popular import BOUGHT, bought_by

        features, truth = super().judging(frames, cutoff, as_of)
        truth = _drawn(truth)
        everyone = features[BOUGHT]
        return {**features, BOUGHT: bought_by(everyone, truth), EVERYONE: everyone}, truth

    def label(self, home: Home, metric: str) -> str:
        """The metric's name where figures are compared, with the length of the list."""
        return f"{metric}_at_{home.settings.recommendations.top_k}"

    def measure(self, home: Home, predictions: pd.DataFrame, features: Features, truth: pd.DataFrame) -> Measures:
        """Hits per customer with a purchase in the window; what may not be shown is no target."""
        from models import metrics
        from models.recommendations.popular import eligible_targets

        recommendations = home.settings.recommendations
        truth, k = eligible_targets(truth, features, recommendations.exclude_bought), recommendations.top_k
        return {
            "ndcg": metrics.ndcg_at_k(predictions, truth, k),
            "recall": metrics.recall_at_k(predictions, truth, k),
            "hit_rate": metrics.hit_rate_at_k(predictions, truth, k),
        }

    def tables(
        self, home: Home, as_of: date, model: Model, features: Features, facts: Features, version: str
    ) -> Tables:
        """`recommendations` for customers with history, `recommendations_default` for all others."""
        lists = model.predict(features)
        default = model.predict_default(features)  # type: ignore[attr-defined]
        if "reason_product_id" not in lists.columns:  # popular lists name no product
            lists["reason_product_id"] = None
        return {
            "recommendations": lists.assign(arm="model", model_version=version),
            "recommendations_default": default.assign(country=None, channel=None),
        }

    def unserved(self, features: Features, tables: Tables) -> int:
        """Customers with history who have bought all that may be shown."""
        return int(features["customer_products"]["customer_id"].nunique()) - int(
            tables["recommendations"]["customer_id"].nunique()
        )


def _drawn(truth: pd.DataFrame) -> pd.DataFrame:
    """The purchases of MOST_JUDGED customers at most."""
    customers = pd.Series(truth["customer_id"].unique()).astype(object)
    if len(customers) <= MOST_JUDGED:
        return truth
    place = pd.util.hash_array(customers.to_numpy(), hash_key=DRAW, categorize=False)
    drawn = customers.iloc[np.argsort(place, kind="stable")[:MOST_JUDGED]]
    return truth[truth["customer_id"].isin(drawn)].reset_index(drop=True)
