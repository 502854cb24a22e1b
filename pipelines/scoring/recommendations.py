"""Recommendations: what to show each customer tomorrow, and what to show those without history."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.protocol import Features, Model
from models.recommendations.holdout import HOLDOUT, MODEL, default_lists, in_holdout
from models.recommendations.lists import COLUMNS
from models.recommendations.rules import Rules
from pipelines.home import Home
from pipelines.scoring.frames import AtCutoffs, Frames, Judged, Learning
from pipelines.scoring.outputs import Counts, Measures, Tables
from pipelines.scoring.taken_over import lists_of

MOST_JUDGED = 20_000
"""Customers who bought something after a cut-off that contestants are judged on, drawn by their id; all are served."""
MARGIN = 2
"""Lists are asked this many times as long as shown, for the rules to take from."""
FEW_PRODUCTS = 20
"""Distinct products bought, up to which a customer who came back has a short history."""
SEPARATOR = "\x1f"
DRAW = "nightcart judges"  # 16 bytes: the seed of the draw, the same at every cut-off


class RecommendationsOutput(AtCutoffs):
    """Customers times ranks; judged by NDCG at the length of the list, on what is bought in the 28 days after."""

    name = "recommendations"
    metric = "ndcg"
    higher_is_better = True
    compared = ("ndcg", "ndcg_new")
    guarded = ()
    features: Mapping[str, str] = {
        "product_popularity": "features_product_popularity",
        "customer_products": "features_customer_products",
        "products": "features_products",
        "stock": "features_stock",
    }
    described: Mapping[str, str] = {"customers": "features_customers"}
    facts: Mapping[str, str] = {
        "catalogue": "dim_products",
        "segments": "features_segment_popularity",
        "customers": "dim_customers",
    }
    targets = "features_recommendation_targets"
    published = "recommendations"

    def contestants(self) -> tuple[type[Model], ...]:
        """Popular lists, one source of each kind, and the ranker over all of them."""
        from models.recommendations import CONTESTANTS

        return CONTESTANTS

    def arguments(self, home: Home, kind: type[Model], as_of: date) -> dict[str, Any]:
        """Length of the list and what may be on it; where some categories are repeatable, rules leave out the rest."""
        rules = rules_of(home)
        is_plain = not (rules.exclude_bought and rules.repeatable_categories)
        return _computing(home, kind, as_of) | {
            "top_k": rules.top_k if is_plain else MARGIN * rules.top_k,
            "exclude_bought": rules.exclude_bought and is_plain,
            "seed": home.settings.compute.seed,
        }

    def judging(self, frames: Frames, cutoff: date, as_of: date) -> Learning:
        """One cut-off of the customers that are judged, all purchases as `everyone`, and what was bought after it."""
        from models.recommendations.frames import EVERYONE
        from models.recommendations.popular import BOUGHT, bought_by

        features, truth = super().judging(frames, cutoff, as_of)
        truth = _drawn(truth)
        everyone = features[BOUGHT]
        return {**features, BOUGHT: bought_by(everyone, truth), EVERYONE: everyone}, truth

    def as_published(self, home: Home, rows: pd.DataFrame, truth: pd.DataFrame) -> Judged:
        """The model's own lists, and what those bought who were not shown another's: of them nobody knows."""
        is_model = rows["arm"] == "model"
        held_out = rows.loc[~is_model, "customer_id"].unique()
        truth = truth[~truth["customer_id"].isin(held_out)].reset_index(drop=True)
        return rows[is_model & rows["customer_id"].isin(truth["customer_id"])].reset_index(drop=True), truth

    def label(self, home: Home, metric: str) -> str:
        """The metric's name where figures are compared, with the length of the list."""
        return f"{metric}_at_{home.settings.recommendations.top_k}"

    def measure(self, home: Home, predictions: pd.DataFrame, features: Features, truth: pd.DataFrame) -> Measures:
        """Hits per customer with a purchase in the window; what may not be shown is no target.

        Where bought products may be shown, `ndcg_new` and `recall_new` judge what else is on the list: it keeps its
        order and is ranked anew, and a target is what a customer had not bought before; who has none is left out.
        """
        from models import metrics
        from models.recommendations.popular import eligible_targets
        from models.recommendations.rules import shown_again

        rules = rules_of(home)
        truth = eligible_targets(truth, features, False)
        if rules.exclude_bought:
            truth = shown_again(truth, features, rules)
        if rules.exclude_bought and rules.repeatable_categories:
            predictions = shown_again(predictions, features, rules)
        k = rules.top_k
        found = {
            "ndcg": metrics.ndcg_at_k(predictions, truth, k),
            "recall": metrics.recall_at_k(predictions, truth, k),
            "hit_rate": metrics.hit_rate_at_k(predictions, truth, k),
        }
        if rules.exclude_bought:
            return found
        new = Rules(k)
        truth, shown = shown_again(truth, features, new), predictions[predictions["rank"] <= k]
        shown = shown_again(shown, features, new)
        return found | {
            "ndcg_new": metrics.ndcg_at_k(shown, truth, k),
            "recall_new": metrics.recall_at_k(shown, truth, k),
        }

    def segments(self, features: Features) -> pd.DataFrame:
        """`history`: new where all was bought on one day, else few or many by the number of products.

        `country` and `channel` of the last order, where that is known.
        """
        by_customer = features["customer_products"].groupby("customer_id", sort=True)
        products = by_customer.size()
        is_new = by_customer["first_bought_on"].min() == by_customer["last_bought_on"].max()
        size = np.where(products <= FEW_PRODUCTS, "few", "many")
        found = pd.DataFrame({"history": np.where(is_new, "new", size)}, index=products.index)
        if "customers" not in features:
            return found
        return found.join(features["customers"].set_index("customer_id")[["country", "channel"]])

    def tables(
        self, home: Home, as_of: date, model: Model, features: Features, facts: Features, version: str
    ) -> tuple[Tables, Counts]:
        """`recommendations` for customers with history, `recommendations_default` for others, by the shop's rules."""
        from models.recommendations.rules import apply_rules
        from models.recommendations.segments import segment_lists

        rules, bought = rules_of(home), features["customer_products"]
        products = facts["catalogue"].merge(features["stock"][["product_id", "on_hand"]], how="left", on="product_id")
        popular = _longer(model, max(len(products), 1)).predict_default(features)
        lists, counts = lists_of(home, _longer(model, MARGIN * rules.top_k), features, version)
        if "reason_product_id" not in lists.columns:  # popular lists name no product
            lists["reason_product_id"] = pd.Series([None] * len(lists), dtype="str")
        defaults = segment_lists(popular, facts["segments"], MARGIN * rules.top_k)
        lists = _with_holdout(home, lists, defaults, facts["customers"])
        shown = apply_rules(_as_lists(defaults, as_of), popular, products, bought.iloc[:0], rules)
        segments = pd.Series(shown["customer_id"]).str.split(SEPARATOR, expand=True, n=1).replace("", None)
        own = apply_rules(lists, popular, products, bought, rules)
        own = own.assign(arm=np.where(_is_held_out(home, own), HOLDOUT, MODEL), model_version=version)
        unserved = bought["customer_id"].nunique() - own["customer_id"].nunique()  # they have bought all there is
        return {
            "recommendations": own,
            "recommendations_default": shown.assign(country=segments.get(0), channel=segments.get(1)),
        }, {"unserved": unserved} | counts


def rules_of(home: Home) -> Rules:
    """What the settings allow on a list."""
    settings = home.settings.recommendations
    return Rules(
        top_k=settings.top_k,
        exclude_bought=settings.exclude_bought,
        repeatable_categories=tuple(settings.repeatable_categories),
        max_per_category=settings.max_per_category,
        min_margin=settings.min_margin,
        pinned=tuple(settings.pinned),
        banned=tuple(settings.banned),
    )


def _computing(home: Home, kind: type[Model], as_of: date) -> dict[str, Any]:
    """What a contestant computes with."""
    from models.recommendations import SequenceTransformer, XGBoostRanker
    from pipelines.training.study import best_settings

    if not issubclass(kind, (SequenceTransformer, XGBoostRanker)):
        return {}
    found: dict[str, Any] = {"threads": home.threads, "minutes": home.settings.recommendations.train_minutes}
    if issubclass(kind, SequenceTransformer):
        found |= {"device": home.device} | best_settings(home, "recommendations", as_of)
    return found


def _longer(model: Any, top_k: int) -> Any:
    """The same model, asked for longer lists."""
    asked = copy(model)
    asked.top_k = top_k
    return asked


def _is_held_out(home: Home, lists: pd.DataFrame) -> NDArray[np.bool_]:
    """[N] whether each row is of a customer who is held out."""
    customers = pd.Series(lists["customer_id"].unique())
    held = in_holdout(customers, home.settings.recommendations.holdout_share, home.settings.compute.seed)
    return np.asarray(lists["customer_id"].isin(customers[held]), dtype=np.bool_)


def _with_holdout(home: Home, lists: pd.DataFrame, defaults: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """The lists, those of customers who are held out replaced by the default list of their country."""
    is_held = _is_held_out(home, lists)
    held = lists.loc[is_held, ["as_of", "customer_id"]].drop_duplicates()
    if held.empty:
        return lists
    held = held.merge(customers[["customer_id", "country"]], on="customer_id", how="left")
    return pd.concat([lists[~is_held], default_lists(held, defaults, lists)], ignore_index=True)


def _as_lists(defaults: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Lists of segments in the shape of customers' lists."""
    key = defaults["country"] + SEPARATOR + defaults["channel"]
    words = pd.Series([None] * len(defaults), dtype="str")
    shared = {"as_of": pd.Timestamp(as_of), "reason": words, "reason_product_id": words}
    return defaults.assign(customer_id=key.astype("str"), **shared)[COLUMNS]


def _drawn(truth: pd.DataFrame) -> pd.DataFrame:
    """The purchases of MOST_JUDGED customers at most."""
    customers = pd.Series(truth["customer_id"].unique()).astype(object)
    if len(customers) <= MOST_JUDGED:
        return truth
    place = pd.util.hash_array(customers.to_numpy(), hash_key=DRAW, categorize=False)
    drawn = customers.iloc[np.argsort(place, kind="stable")[:MOST_JUDGED]]
    return truth[truth["customer_id"].isin(drawn)].reset_index(drop=True)
