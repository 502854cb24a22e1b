"""EASE and nearest customers by hand, and reasons: without its reason a product's score is lower."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.recommendations import CoPurchase, Ease, NearestCustomers
from models.recommendations.ease import REGULARISER, item_weights
from models.recommendations.frames import EVERYONE
from models.recommendations.nearest_customers import nearest
from models.recommendations.purchases import purchases
from tests.models.generators import at_last_cutoff, lists_frames
from tests.models.test_lists import shop


def test_the_closed_form_is_that_of_the_regression_of_each_product_on_all_others() -> None:
    frames = shop({}, ["ab", "ab", "abc", "ac", "bd", "cd"])
    known = purchases(frames["everyone"], pd.Index(list("abcdef")))
    head, between = item_weights(known, 90.0)
    bought = known.matrix(known.since(90.0)).toarray()[:, head].astype(np.float64)
    assert head.tolist() == [0, 1, 2, 3]
    for place in range(len(head)):
        rest = np.delete(bought, place, axis=1)
        solved = np.linalg.solve(rest.T @ rest + REGULARISER * np.eye(len(head) - 1), rest.T @ bought[:, place])
        assert np.delete(between[:, place], place) == pytest.approx(solved, rel=1e-4, abs=1e-7)
        assert between[place, place] == 0


def test_a_product_of_one_customer_is_in_no_closed_form() -> None:
    frames = shop({}, ["ab", "ab", "ac"])
    head, _ = item_weights(purchases(frames["everyone"], pd.Index(list("abcdef"))), 90.0)
    assert head.tolist() == [0, 1]


def test_ease_recommends_what_goes_with_it_and_says_with_what() -> None:
    frames = shop({("ann", "a"): (1, 1), ("ann", "e"): (1, 1)}, ["ac"] * 30 + ["bd"] * 30 + ["ef"] * 3)
    found = Ease(top_k=2).predict(frames)
    assert found["product_id"].tolist()[0] == "c"
    assert found["reason_product_id"].tolist()[0] == "a"
    assert found["reason"].tolist()[0] == "bought_together"


def test_the_nearest_are_others_and_their_shares_add_up() -> None:
    frames = shop({("ann", "a"): (1, 1), ("ann", "b"): (1, 1)}, ["ab", "ac", "def"])
    known = purchases(pd.concat([frames["customer_products"], frames["everyone"]]), pd.Index(list("abcdef")))
    rows = known.matrix(known.decayed(180.0))
    share = nearest(rows[:1], rows).toarray()[0]
    assert share.sum() == pytest.approx(1)
    assert share[0] == 0
    assert share[-1] == 0


def test_nearest_customers_mix_what_is_own_with_what_others_bought() -> None:
    frames = shop({("ann", "a"): (3, 1), ("ann", "b"): (1, 1)}, ["abc", "abc", "adef"])
    model = NearestCustomers(top_k=3, exclude_bought=False)
    found = model.predict(frames)
    assert "".join(found["product_id"]) == "abc"
    assert found["reason"].tolist() == ["buy_again", "buy_again", "like_customers"]
    left_out = NearestCustomers(top_k=1, exclude_bought=True).predict(frames)
    assert left_out["product_id"].tolist() == ["c"]


@pytest.mark.parametrize("kind", [CoPurchase, Ease])
@pytest.mark.parametrize("exclude", [True, False])
def test_without_its_reason_the_score_is_lower(kind: type[Ease], exclude: bool) -> None:
    """The removal test: the product that is named is taken out of that customer's history, and nothing else is."""
    night = at_last_cutoff(lists_frames(customers=60)[0])
    model, bought = kind(top_k=20, exclude_bought=exclude), night["customer_products"]
    night = {**night, EVERYONE: bought}
    found = model.candidates(night)
    explained = found[found["reason_product_id"].notna()].groupby("customer_id").head(2)
    assert len(explained) > 40
    for row in explained.itertuples():
        is_own = bought["customer_id"] == row.customer_id
        history = bought[is_own & (bought["product_id"] != row.reason_product_id)].reset_index(drop=True)
        again = model.candidates({**night, "customer_products": history})
        score = again.loc[again["product_id"] == row.product_id, "score"].sum()  # 0 where it is no candidate any more
        assert score < row.score
