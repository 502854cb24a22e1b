"""Recommendations are judged on the customers who bought something, so many of them at most; all are served."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from pipelines.scoring import recommendations
from pipelines.scoring.recommendations import RecommendationsOutput

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
