"""Personal lists: own history and co-purchase by hand, filled up, never twice, never what may not be shown."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from models import metrics
from models.recommendations import CoPurchase, OwnHistory, PopularRecent, co_purchase
from models.recommendations.co_purchase import neighbours
from models.recommendations.popular import eligible_targets
from tests.models.generators import AS_OF, at_last_cutoff, lists_frames
from tests.models.test_recommendations import store

KINDS = (OwnHistory, CoPurchase)


def shop(
    times: dict[tuple[str, str], tuple[int, int]], others: list[str], inactive: str = ""
) -> dict[str, pd.DataFrame]:
    """times: (customer, product) -> (times, days ago); others: products of one more customer each."""
    frames = store({}, dict.fromkeys("abcdef", (1, 1)), inactive)
    rows = [(AS_OF, who, what, n, AS_OF - dt.timedelta(days=ago)) for (who, what), (n, ago) in times.items()]
    names = ["as_of", "customer_id", "product_id", "times", "last_bought_on"]
    yesterday = AS_OF - dt.timedelta(days=1)
    pairs = [(AS_OF, f"o{n}", what, 1, yesterday) for n, basket in enumerate(others) for what in basket]
    return frames | {
        "customer_products": pd.DataFrame(rows, columns=names),
        "everyone": pd.DataFrame(pairs, columns=names),
    }


def test_own_history_by_times_and_decay_then_popular() -> None:
    frames = shop({("ann", "c"): (4, 180), ("ann", "b"): (3, 1), ("ann", "a"): (1, 10)}, [])
    model = OwnHistory(top_k=5, exclude_bought=False)
    found = model.predict(frames)
    assert "".join(found["product_id"]) == "bcade"
    assert found["reason"].tolist() == ["buy_again"] * 3 + ["popular"] * 2
    assert found["score"].is_monotonic_decreasing
    assert found["score"].between(0, 2).all()


def test_own_history_without_what_was_bought_is_the_popular_list() -> None:
    frames = at_last_cutoff(lists_frames()[0])
    own = OwnHistory(top_k=5, exclude_bought=True).predict(frames)
    popular = PopularRecent(top_k=5, exclude_bought=True, half_life_days=56.0).predict(frames)
    pd.testing.assert_frame_equal(
        own[["customer_id", "rank", "product_id"]], popular[["customer_id", "rank", "product_id"]]
    )
    assert set(own["reason"]) == {"popular"}


def test_similarity_is_the_shrunken_cosine_over_customers() -> None:
    frames = shop({}, ["ab", "ab", "abc", "a"])
    near = neighbours(frames["everyone"], pd.Index(list("abc"))).toarray()
    assert near[0, 1] == pytest.approx(3**2 / (np.sqrt(4 * 3) * (3 + 5)))
    assert near[2, 0] == pytest.approx(1 / (np.sqrt(1 * 4) * 6))
    assert near.diagonal().tolist() == [0, 0, 0]


def test_co_purchase_names_the_purchase_that_gave_most() -> None:
    frames = shop({("ann", "a"): (1, 1), ("ann", "b"): (5, 1)}, ["ac", "ac", "ac", "bd", "b", "bd", "ef"])
    found = CoPurchase(top_k=2).predict(frames)
    assert dict(zip(found["product_id"], found["reason_product_id"], strict=True)) == {"c": "a", "d": "b"}
    assert set(found["reason"]) == {"bought_together"}


def test_few_scores_at_a_time_give_the_same_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = at_last_cutoff(lists_frames()[0])
    whole = CoPurchase(top_k=6).predict(frames)
    monkeypatch.setattr(co_purchase, "CELLS", 1)
    pd.testing.assert_frame_equal(CoPurchase(top_k=6).predict(frames), whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exclude", [True, False])
def test_every_customer_has_a_full_list_of_what_may_be_shown(kind: type[OwnHistory], exclude: bool) -> None:
    frames = at_last_cutoff(lists_frames()[0])
    found = kind(top_k=6, exclude_bought=exclude).predict(frames)
    bought, products = frames["customer_products"], frames["products"]
    assert set(found["customer_id"]) == set(bought["customer_id"])
    assert not found.duplicated(["customer_id", "product_id"]).any()
    assert found["product_id"].isin(products.loc[products["is_active"], "product_id"]).all()
    pairs = found.merge(bought, on=["customer_id", "product_id"])
    assert pairs.empty == exclude
    assert (found.groupby("customer_id")["rank"].max() == found.groupby("customer_id").size()).all()
    if not exclude:
        assert (found.groupby("customer_id").size() == 6).all()
    shown = found[found["reason"] == "bought_together"].rename(columns={"product_id": "shown"})
    owned = shown.merge(bought, left_on=["customer_id", "reason_product_id"], right_on=["customer_id", "product_id"])
    assert len(owned) == len(shown)
    assert found.loc[found["reason"] != "bought_together", "reason_product_id"].isna().all()


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_the_best_of_their_choices_on_the_matured_targets(kind: type[OwnHistory]) -> None:
    features, targets = lists_frames(customers=10, cutoffs=2)
    model = kind(top_k=5, exclude_bought=False).fit(features, targets)
    counted = eligible_targets(targets, features, False)
    best = metrics.value(metrics.ndcg_at_k(model.predict(features), counted, 5))
    plain = kind(top_k=5, exclude_bought=False)
    assert best >= metrics.value(metrics.ndcg_at_k(plain.predict(features), counted, 5))
    assert all(model.weights[key] in options for key, options in kind.choices.items())


def test_a_purchase_from_the_future_is_refused() -> None:
    with pytest.raises(ValueError, match="a row from the future"):
        OwnHistory(top_k=2).predict(shop({("ann", "a"): (1, -1)}, []))
