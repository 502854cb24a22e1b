"""Popular lists: scores by hand, exclusion against a slow reading, ties, sizes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommendations import PopularEver, PopularRecent
from models.recommendations.popular import eligible_targets
from tests.models.generators import AS_OF, popularity_frames


def store(bought: dict[str, str], counts: dict[str, tuple[int, int]], inactive: str = "") -> dict[str, pd.DataFrame]:
    """counts: product -> (days_ago, customers); bought: customer -> products, one letter each."""
    popularity = pd.DataFrame(
        [(AS_OF, product, ago, customers) for product, (ago, customers) in counts.items()],
        columns=["as_of", "product_id", "days_ago", "customers"],
    )
    products = pd.DataFrame({"as_of": AS_OF, "product_id": list(counts)})
    pairs = [(AS_OF, customer, product) for customer, owned in bought.items() for product in owned]
    return {
        "product_popularity": popularity,
        "products": products.assign(is_active=[product not in inactive for product in counts]),
        "customer_products": pd.DataFrame(pairs, columns=["as_of", "customer_id", "product_id"]),
    }


STORE = store({"ann": "a", "bob": "abcd"}, {"a": (1, 8), "b": (15, 16), "c": (29, 100), "d": (1, 4)})


def _lists(predicted: pd.DataFrame) -> dict[str, str]:
    return {str(who): "".join(own["product_id"]) for who, own in predicted.groupby("customer_id")}


def test_recent_scores_decay_and_end_with_the_window() -> None:
    found = PopularRecent(top_k=4, exclude_bought=False, half_life_days=14.0).predict_default(STORE)
    assert found["product_id"].tolist() == ["a", "b", "d", "c"]
    assert found["score"].tolist() == pytest.approx(
        [8 * 0.5 ** (1 / 14), 16 * 0.5 ** (15 / 14), 4 * 0.5 ** (1 / 14), 0]
    )


def test_ever_counts_each_day_the_same() -> None:
    assert PopularEver(top_k=3).predict_default(STORE)["product_id"].tolist() == ["c", "b", "a"]


def test_what_a_customer_bought_is_left_out_and_nothing_left_is_no_row() -> None:
    assert _lists(PopularEver(top_k=2).predict(STORE)) == {"ann": "cb"}
    assert _lists(PopularEver(top_k=2, exclude_bought=False).predict(STORE)) == {"ann": "cb", "bob": "cb"}


def test_inactive_products_are_not_shown() -> None:
    shop = store({"ann": "c"}, {"a": (1, 1), "b": (1, 9), "c": (1, 3)}, inactive="b")
    assert _lists(PopularEver(top_k=3).predict(shop)) == {"ann": "a"}
    assert PopularEver(top_k=3).predict_default(shop)["product_id"].tolist() == ["c", "a"]


def test_ties_go_by_product_id() -> None:
    shop = store({"ann": ""}, {"b": (1, 2), "c": (2, 2), "a": (3, 2)})
    assert PopularEver(top_k=3).predict_default(shop)["product_id"].tolist() == ["a", "b", "c"]
    assert PopularEver(top_k=3).predict(shop).empty


@given(
    st.lists(st.sets(st.integers(0, 11)), min_size=1, max_size=6),
    st.integers(1, 12),
    st.sets(st.integers(0, 11), max_size=4),
)
@settings(deadline=None, max_examples=40)
def test_lists_are_those_of_a_slow_reading(owned: list[set[int]], top_k: int, inactive: set[int]) -> None:
    letters = "abcdefghijkl"
    names = {number: letters[number] for number in range(12)}
    bought = {f"c{which}": "".join(names[one] for one in sorted(own)) for which, own in enumerate(owned) if own}
    hidden = "".join(names[one] for one in inactive)
    shop = store(bought, {letter: (1, (7 * place) % 12 + 1) for place, letter in enumerate(letters)}, hidden)
    model = PopularEver(top_k=top_k)
    order = PopularEver(top_k=12).predict_default(shop)["product_id"].tolist()
    slow = {who: "".join([one for one in order if one not in own][:top_k]) for who, own in bought.items()}
    predicted = model.predict(shop)
    assert _lists(predicted) == {who: shown for who, shown in slow.items() if shown}
    assert all(own["rank"].tolist() == list(range(1, len(own) + 1)) for _, own in predicted.groupby("customer_id"))


def test_fit_prefers_the_half_life_that_the_targets_speak_for() -> None:
    shop = store({"ann": "z"}, {"new": (1, 3), "old": (20, 40), "z": (1, 1)})
    days = {"as_of": AS_OF - pd.Timedelta(days=28), "known_as_of": AS_OF, "customer_id": "ann"}
    shop = {name: frame.assign(as_of=days["as_of"]) for name, frame in shop.items()}
    liked_new = PopularRecent(top_k=1).fit(shop, pd.DataFrame([days | {"product_id": "new"}]))
    liked_old = PopularRecent(top_k=1).fit(shop, pd.DataFrame([days | {"product_id": "old"}]))
    assert liked_new.half_life_days is not None
    assert liked_old.half_life_days is not None
    assert liked_new.half_life_days < liked_old.half_life_days


def test_targets_that_have_not_matured_change_nothing() -> None:
    features, targets = popularity_frames()
    planted = targets.iloc[:40].assign(as_of=AS_OF, product_id="p001")
    honest = PopularRecent(top_k=5).fit(features, targets)
    assert PopularRecent(top_k=5).fit(features, pd.concat([targets, planted])).half_life_days == honest.half_life_days
    with pytest.raises(ValueError, match="too little data"):
        PopularRecent(top_k=5).fit(features, planted)


def test_a_day_after_the_cutoff_is_refused() -> None:
    future = {**STORE, "product_popularity": STORE["product_popularity"].assign(days_ago=0)}
    with pytest.raises(ValueError, match="a row from the future"):
        PopularRecent().predict(future)


def test_eligible_targets_are_of_known_customers_and_new_to_them() -> None:
    wanted = [("ann", "a"), ("ann", "b"), ("new", "a")]
    targets = pd.DataFrame(wanted, columns=["customer_id", "product_id"]).assign(as_of=AS_OF)
    assert eligible_targets(targets, STORE, exclude_bought=True)["product_id"].tolist() == ["b"]
    assert len(eligible_targets(targets, STORE, exclude_bought=False)) == 2


@pytest.mark.parametrize("wrong", [{"top_k": 0}, {"window_days": 0}, {"half_life_days": 0.0}])
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        PopularRecent(**wrong)


def test_six_thousand_customers_are_quick() -> None:
    random = np.random.default_rng(1)
    names = np.array([f"p{number:05d}" for number in range(4000)])
    products = pd.DataFrame({"as_of": AS_OF, "product_id": names, "is_active": True})
    popularity = products.assign(days_ago=1, customers=random.integers(1, 99, len(names)))
    who = np.char.add("c", random.integers(0, 6000, 300_000).astype(str))
    bought = pd.DataFrame({"as_of": AS_OF, "customer_id": who, "product_id": names[random.integers(0, 4000, 300_000)]})
    start = time.process_time()
    PopularRecent(top_k=20).predict(
        {"product_popularity": popularity, "products": products, "customer_products": bought}
    )
    assert time.process_time() - start < 5.0
