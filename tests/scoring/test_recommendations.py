"""Recommendations are judged on the customers who bought something, so many of them at most; all are served."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from models.recommendations import PopularEver
from pipelines.home import Home
from pipelines.scoring import recommendations
from pipelines.scoring.recommendations import RecommendationsOutput
from pipelines.settings import Places, Settings

CUTOFF, AS_OF = dt.date(2024, 5, 1), dt.date(2024, 6, 1)


def frames(customers: int, buyers: int) -> dict[str, pd.DataFrame]:
    """All customers have a history, the first of them buy after the cut-off."""
    names = [f"c{number:03}" for number in range(customers)]
    bought = pd.DataFrame({"as_of": CUTOFF, "customer_id": names, "product_id": "a", "times": 1})
    came = pd.DataFrame({"known_as_of": AS_OF, "as_of": CUTOFF, "customer_id": names[:buyers], "product_id": "b"})
    empty = pd.DataFrame({"as_of": [CUTOFF], "product_id": ["a"]})
    return {
        "features_customer_products": bought,
        "features_product_popularity": empty,
        "features_products": empty,
        "features_stock": empty,
        "features_recommendation_targets": came,
    }


def test_judged_are_those_who_bought_and_everyone_is_still_known() -> None:
    features, truth = RecommendationsOutput().judging(frames(9, 4), CUTOFF, AS_OF)
    assert features["customer_products"]["customer_id"].tolist() == ["c000", "c001", "c002", "c003"]
    assert len(features["everyone"]) == 9
    assert len(truth) == 4


def test_of_very_many_the_same_are_judged_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommendations, "MOST_JUDGED", 5)
    drawn = [RecommendationsOutput().judging(frames(100, buyers), CUTOFF, AS_OF)[1] for buyers in (60, 60, 59)]
    first, again, fewer = (set(truth["customer_id"]) for truth in drawn)
    assert first == again
    assert len(first) == 5
    assert first - {"c059"} <= fewer
    assert first != {f"c{number:03}" for number in range(5)}


def test_all_with_a_history_are_served() -> None:
    assert len(RecommendationsOutput().tonight(frames(100, 60), CUTOFF)["customer_products"]) == 100


def store() -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Twelve products, the earlier the more popular; everybody bought p00; French customers like p09 as well."""
    names = [f"p{number:02}" for number in range(12)]
    customers = [f"c{number:03}" for number in range(30)]
    features = {
        "customer_products": pd.DataFrame(
            {"as_of": AS_OF, "customer_id": customers, "product_id": "p00", "times": 1, "last_bought_on": CUTOFF}
        ),
        "product_popularity": pd.DataFrame(
            {"as_of": AS_OF, "product_id": names, "days_ago": 3, "customers": range(24, 0, -2)}
        ),
        "products": pd.DataFrame({"as_of": AS_OF, "product_id": names, "category": "tea", "is_active": True}),
        "stock": pd.DataFrame({"as_of": AS_OF, "product_id": ["p01"], "on_hand": [0]}),
    }
    catalogue = features["products"].drop(columns="as_of").assign(unit_price=2.0, unit_cost=1.0)
    catalogue.loc[3, "unit_cost"] = 1.9
    facts = {
        "catalogue": catalogue,
        "segments": pd.DataFrame(
            {"country": ["FR"], "channel": [""], "product_id": ["p09"], "customers": [150], "segment_customers": [200]}
        ),
    }
    text = dict.fromkeys(("customer_id", "product_id"), "str")
    return {
        name: frame.astype({key: kind for key, kind in text.items() if key in frame})
        for name, frame in features.items()
    }, facts


def test_the_rules_hold_for_customers_and_for_segments(tmp_path: Path) -> None:
    settings = Settings(
        recommendations={"top_k": 4, "pinned": ["p07"], "banned": ["p02"], "min_margin": 0.2},  # type: ignore[arg-type]
    )
    home = Home(Places.from_environment({"NIGHTCART_HOME": str(tmp_path)}), settings)
    output, (features, facts) = RecommendationsOutput(), store()
    model = PopularEver(**output.arguments(home, PopularEver, AS_OF))
    tables, counts = output.tables(home, AS_OF, model, features, facts, "v")
    assert counts == {"unserved": 0, "scored_anew": 30, "taken_over": 0}
    served = tables["recommendations"].groupby("customer_id")["product_id"].agg(list)
    assert served.map(tuple).unique().tolist() == [("p07", "p04", "p05", "p06")]
    default = tables["recommendations_default"].fillna("any").groupby("country")["product_id"].agg(list).to_dict()
    assert default == {"any": ["p07", "p00", "p04", "p05"], "FR": ["p07", "p09", "p00", "p04"]}


def test_what_may_be_shown_again_is_a_target_too(tmp_path: Path) -> None:
    settings = Settings(recommendations={"top_k": 4, "repeatable_categories": ["tea"]})  # type: ignore[arg-type]
    home = Home(Places.from_environment({"NIGHTCART_HOME": str(tmp_path)}), settings)
    output, (features, _) = RecommendationsOutput(), store()
    assert output.arguments(home, PopularEver, AS_OF) == {"top_k": 8, "exclude_bought": False, "seed": 7}
    lists = PopularEver(**output.arguments(home, PopularEver, AS_OF)).predict(features)
    truth = pd.DataFrame({"as_of": [AS_OF], "customer_id": ["c001"], "product_id": ["p00"]})
    assert output.measure(home, lists, features, truth)["ndcg"].to_numpy().tolist() == [[1.0, 1.0]]
