"""New products by content: what is new, what is like what a customer bought, and why."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from models.recommendations.content import words_of
from models.recommendations.new_products import REASON, NewProducts
from models.recommendations.purchases import product_index
from tests.models.generators import AS_OF

TITLES = {
    "a": "red tea cup",
    "b": "red tea pot",
    "c": "garden hose",
    "d": "green tea pot",
    "e": "hose reel",
    "f": "old pot",
}
SOLD = {"a": 100, "b": 100, "c": 100, "f": 100, "e": 5}
"""Days since each was sold; d never was."""


def shop(bought: str, **columns: list[object]) -> dict[str, pd.DataFrame]:
    """ann bought these products, all of them ten days ago."""
    products = pd.DataFrame({"as_of": AS_OF, "product_id": list(TITLES), "title": TITLES.values(), "is_active": True})
    sold = pd.DataFrame({"as_of": AS_OF, "product_id": list(SOLD), "days_ago": list(SOLD.values()), "customers": 3})
    pairs = [(AS_OF, "ann", what, 1, AS_OF - dt.timedelta(days=10)) for what in bought]
    names = ["as_of", "customer_id", "product_id", "times", "last_bought_on"]
    return {
        "products": products.assign(**columns),
        "product_popularity": sold,
        "customer_products": pd.DataFrame(pairs, columns=names),
    }


def test_only_new_products_the_likest_first_and_what_they_are_like() -> None:
    found = NewProducts().candidates(shop("abc")).sort_values("score", ascending=False, ignore_index=True)
    assert found["product_id"].tolist() == ["d", "e"]
    assert found["reason_product_id"].tolist() == ["b", "c"]
    assert set(found["reason"]) == {REASON}


def test_known_for_long_is_not_new() -> None:
    known = [AS_OF - dt.timedelta(days=61 if what == "d" else 60) for what in TITLES]
    assert NewProducts().candidates(shop("abc", first_known_on=known))["product_id"].tolist() == ["e"]


@pytest.mark.parametrize("change", [{"title": None}, {"is_active": False}])
def test_without_content_or_on_sale_there_is_nothing(change: dict[str, list[object]]) -> None:
    frames = shop("abc", **change)
    assert NewProducts().candidates(frames).empty
    assert len(NewProducts(top_k=3).predict(frames)) == (0 if "is_active" in change else 3)


def test_what_a_customer_bought_itself_explains_nothing_and_may_be_left_out() -> None:
    frames = shop("ce")
    assert NewProducts(exclude_bought=True).candidates(frames)["product_id"].tolist() == []
    found = NewProducts(exclude_bought=False).candidates(frames)
    assert (found["product_id"].tolist(), found["reason_product_id"].tolist()) == (["e"], ["c"])


def test_without_its_reason_the_score_is_lower() -> None:
    frames = shop("abc")
    for row in NewProducts().candidates(frames).itertuples():
        bought = frames["customer_products"]
        less = {**frames, "customer_products": bought[bought["product_id"] != row.reason_product_id]}
        again = NewProducts().candidates(less)
        assert again.loc[again["product_id"] == row.product_id, "score"].sum() < row.score


def test_words_are_those_of_category_price_and_title() -> None:
    columns = {"category": "Kitchen > Pots", "mean_price": 8.0}
    products = shop("a", **columns)["products"]
    words = words_of(products, product_index({"products": products}))
    assert words[3] == ["category kitchen", "category kitchen>pots", "price 6", "title green", "title tea", "title pot"]
    assert words_of(products.assign(category=None, mean_price=np.nan), pd.Index(["d", "?"]))[1] == []
