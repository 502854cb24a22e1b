"""The ranker: it learns what decides, says who serves, and sees nothing after its cut-off."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from models.recommendations.frames import at_cutoff
from models.recommendations.pool import build_pool
from models.recommendations.ranker import RANKER, XGBoostRanker
from models.recommendations.ranker_design import design
from models.recommendations.retrieval import sources
from tests.models.generators import AS_OF, at_last_cutoff, lists_frames

SETTINGS = {"top_k": 5, "exclude_bought": False, "threads": 1}


def habits(customers: int = 80, products: int = 40, cutoffs: int = 4) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Customers buy again what they last bought 20 to 40 days ago, however often they bought the rest."""
    random = np.random.default_rng(5)
    bought, popularity, on_sale, targets = [], [], [], []
    for back in range(1, cutoffs + 1):
        as_of = AS_OF - dt.timedelta(days=28 * back)
        for who in range(customers):
            for what in random.choice(products, 12, False):
                ago = int(random.integers(1, 120))
                row = (as_of, f"c{who:03d}", f"p{what:02d}")
                bought.append((*row, int(random.integers(1, 9)), as_of - dt.timedelta(days=ago)))
                targets += [row] if 20 <= ago <= 40 else []
        popularity += [(as_of, f"p{what:02d}", 5, 3) for what in range(products)]
        on_sale += [(as_of, f"p{what:02d}", None, True) for what in range(products)]
    names = ["as_of", "customer_id", "product_id", "times", "last_bought_on"]
    frames = {
        "customer_products": pd.DataFrame(bought, columns=names),
        "product_popularity": pd.DataFrame(popularity, columns=["as_of", "product_id", "days_ago", "customers"]),
        "products": pd.DataFrame(on_sale, columns=["as_of", "product_id", "category", "is_active"]),
    }
    return frames, pd.DataFrame(targets, columns=names[:3]).assign(known_as_of=AS_OF)


def test_it_learns_a_rhythm_that_no_source_knows_and_serves() -> None:
    model = XGBoostRanker(**SETTINGS).fit(*habits())
    best = max(model.figures[name] for name in model.sources)
    assert model.serves == RANKER
    assert model.figures[RANKER] > best + 0.2
    assert model.figures["gain"] == pytest.approx(model.figures[RANKER] - best)


def test_where_chance_decides_a_source_serves_as_it_is() -> None:
    features, targets = habits()
    random = np.random.default_rng(8)
    shuffled = targets.assign(product_id=[f"p{which:02d}" for which in random.integers(0, 40, len(targets))])
    model = XGBoostRanker(**SETTINGS).fit(features, shuffled.drop_duplicates())
    assert model.figures["gain"] <= model.figures["error"] or model.serves == RANKER
    model.serves = "own_history"
    night = at_last_cutoff(features)
    columns = ["customer_id", "rank", "product_id"]
    pd.testing.assert_frame_equal(model.predict(night)[columns], model.sources["own_history"].predict(night)[columns])


def test_one_cutoff_cannot_teach_and_judge() -> None:
    with pytest.raises(ValueError, match="too little data to train xgboost_ranker: found 1 cut-offs"):
        XGBoostRanker(**SETTINGS).fit(*habits(cutoffs=1))


def test_what_is_learnt_does_not_change_with_what_came_later() -> None:
    features, targets = habits()
    days = sorted(targets["as_of"].unique())
    early = {name: frame[frame["as_of"] < days[-1]].reset_index(drop=True) for name, frame in features.items()}
    past = targets[targets["as_of"] < days[-1]].assign(known_as_of=days[-1])
    first = XGBoostRanker(**SETTINGS).fit(early, past)
    second = XGBoostRanker(**SETTINGS).fit(features, targets.assign(known_as_of=days[-1]))
    night = at_last_cutoff(features)
    pd.testing.assert_frame_equal(first.predict(night), second.predict(night))


def test_customers_in_chunks_get_the_same_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    model = XGBoostRanker(**SETTINGS).fit(*habits())
    night = at_last_cutoff(habits()[0])
    whole = model.predict(night)
    monkeypatch.setattr("models.recommendations.ranker.CHUNK", 7)
    chunked = model.predict(night)
    columns = ["customer_id", "rank", "product_id"]
    pd.testing.assert_frame_equal(chunked[columns], whole[columns])


def test_the_pool_is_the_union_with_each_sources_rank() -> None:
    night = at_last_cutoff(lists_frames()[0])
    found = {name: source.weighed(night) for name, source in sources(5, False, 7).items()}
    pool = build_pool(night, found, False, 10)
    keys = set(zip(pool.who, pool.what, strict=True))
    assert len(keys) == len(pool.who)
    assert len(pool.found.pop("new_products").who) == 0, "none is new"
    for name, one in pool.found.items():
        assert set(zip(one.who, one.what, strict=True)) <= keys
        assert (np.bincount(one.who) <= 40).all()
        assert np.nanmin(pool.rank(name)) == 1
        assert (pool.score(name)[np.isnan(pool.rank(name))] == 0).all()


def test_features_of_columns_that_a_shop_has_more_of() -> None:
    features = at_cutoff(habits()[0], np.datetime64(AS_OF - dt.timedelta(days=28)))
    bought = features["customer_products"]
    first = [
        day - dt.timedelta(days=30 * (n - 1)) for day, n in zip(bought["last_bought_on"], bought["times"], strict=True)
    ]
    bought = bought.assign(first_bought_on=first, times_28=0)
    stock = pd.DataFrame({"product_id": ["p02"], "on_hand": [12]})
    products = features["products"].assign(mean_price=2.0)
    more = {**features, "customer_products": bought, "products": products, "stock": stock}
    found = {name: source.weighed(more) for name, source in sources(5, False, 7).items()}
    pool = build_pool(more, found, False, 10)
    names, rows = design(more, pool)
    column = dict(zip(names, rows.T, strict=True))
    known = ~np.isnan(column["own_interval"])
    assert known.any()
    assert column["own_interval"][known] == pytest.approx(30)
    assert column["own_interval_due"][known] == pytest.approx(column["own_ago"][known] / 30, rel=1e-5)
    assert column["price_difference"] == pytest.approx(0, abs=1e-6)
    assert column["product_stock"] == pytest.approx(np.where(pool.what == 2, 12.0, np.nan), nan_ok=True)
    assert column["product_stock_days"][pool.what == 2] == pytest.approx(12 * 28 / 4)
