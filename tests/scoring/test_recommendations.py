"""Recommendations are judged on the customers who bought something, so many of them at most; all are served."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.recommendations import PopularEver
from models.recommendations.holdout import in_holdout
from pipelines.home import Home
from pipelines.scoring import recommendations
from pipelines.scoring.recommendations import FEW_PRODUCTS, RecommendationsOutput
from pipelines.settings import Places, Settings
from pipelines.training.evaluate import LEAST_ENTITIES, Evaluation

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
        "customers": pd.DataFrame({"customer_id": customers[:20], "country": ["FR", "DE"] * 10}, dtype="str"),
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


def test_the_hold_out_is_shown_the_default_list_by_the_same_rules(tmp_path: Path) -> None:
    settings = Settings(recommendations={"top_k": 4, "banned": ["p02"], "holdout_share": 0.4})  # type: ignore[arg-type]
    home = Home(Places.from_environment({"NIGHTCART_HOME": str(tmp_path)}), settings)
    output, (features, facts) = RecommendationsOutput(), store()
    model = PopularEver(**output.arguments(home, PopularEver, AS_OF))
    shown = output.tables(home, AS_OF, model, features, facts, "v")[0]["recommendations"]
    everyone = pd.Series(shown["customer_id"].unique())
    held = set(everyone[in_holdout(everyone, 0.4, 7)])
    assert 5 < len(held) < 25
    assert set(shown.loc[shown["arm"] == "holdout", "customer_id"]) == held
    lists = shown.groupby(["arm", "customer_id"])["product_id"].agg(tuple)
    assert set(lists["model"]) == {("p03", "p04", "p05", "p06")}  # p00 was bought, p01 is out of stock, p02 banned
    french = {name for name in held if name in {f"c{number:03}" for number in range(0, 20, 2)}}
    assert set(lists["holdout"].loc[sorted(french)]) == {("p09", "p03", "p04", "p05")}
    assert set(lists["holdout"].loc[sorted(held - french)]) == {("p03", "p04", "p05", "p06")}
    plain = home_with(tmp_path, top_k=4, banned=["p02"])
    others = output.tables(plain, AS_OF, model, features, facts, "v")[0]["recommendations"]
    same = shown[shown["arm"] == "model"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others[~others["customer_id"].isin(held)].reset_index(drop=True), same)


def test_what_may_be_shown_again_is_a_target_too(tmp_path: Path) -> None:
    settings = Settings(recommendations={"top_k": 4, "repeatable_categories": ["tea"]})  # type: ignore[arg-type]
    home = Home(Places.from_environment({"NIGHTCART_HOME": str(tmp_path)}), settings)
    output, (features, _) = RecommendationsOutput(), store()
    assert output.arguments(home, PopularEver, AS_OF) == {"top_k": 8, "exclude_bought": False, "seed": 7}
    lists = PopularEver(**output.arguments(home, PopularEver, AS_OF)).predict(features)
    truth = pd.DataFrame({"as_of": [AS_OF], "customer_id": ["c001"], "product_id": ["p00"]})
    assert output.measure(home, lists, features, truth)["ndcg"].to_numpy().tolist() == [[1.0, 1.0]]


def test_what_is_new_to_the_customer_is_judged_alone(tmp_path: Path) -> None:
    """By hand: of a list of three, what was bought before goes, the rest moves up; targets bought before go too."""
    output, (features, _) = RecommendationsOutput(), store()
    shown = {"c000": ["p00", "p01", "p02", "p03"], "c001": ["p00", "p01", "p02", "p04"], "c002": ["p00", "p05", "p06"]}
    lists = pd.DataFrame(
        [(AS_OF, name, rank, product) for name, list_ in shown.items() for rank, product in enumerate(list_, 1)],
        columns=["as_of", "customer_id", "rank", "product_id"],
    )
    came = [("c000", "p00"), ("c000", "p02"), ("c001", "p04"), ("c001", "p01"), ("c001", "p09"), ("c002", "p00")]
    truth = pd.DataFrame([(AS_OF, *pair) for pair in came], columns=["as_of", "customer_id", "product_id"])
    found = output.measure(home_with(tmp_path, exclude_bought=False), lists, features, truth)
    assert next(iter(found)) == output.metric
    assert set(output.compared) < set(found)
    new = {name: found[name]["numerator"].to_dict() for name in ("ndcg_new", "recall_new")}
    second, ideal = 1 / np.log2(3), 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert new["ndcg_new"] == {  # c002 bought nothing new; p04 of c001 is not among the three that are shown
        "c000": pytest.approx(second),
        "c001": pytest.approx(1 / ideal),
    }
    assert new["recall_new"] == {"c000": 1.0, "c001": pytest.approx(1 / 3)}
    assert (found["ndcg_new"]["denominator"] == 1.0).all()
    assert len(found["ndcg"]) == 3


def test_where_bought_products_are_left_out_all_is_new(tmp_path: Path) -> None:
    output, (features, _) = RecommendationsOutput(), store()
    home = home_with(tmp_path)
    lists = PopularEver(**output.arguments(home, PopularEver, AS_OF)).predict(features)
    truth = pd.DataFrame({"as_of": [AS_OF], "customer_id": ["c001"], "product_id": ["p01"]})
    assert list(output.measure(home, lists, features, truth)) == ["ndcg", "recall", "hit_rate"]


def test_customers_are_told_apart_by_their_history() -> None:
    pairs = [("once", number, CUTOFF, CUTOFF) for number in range(FEW_PRODUCTS + 1)]
    pairs += [("twice", 1, CUTOFF, CUTOFF), ("twice", 2, AS_OF, AS_OF), ("again", 1, CUTOFF, AS_OF)]
    pairs += [("long", number, CUTOFF, AS_OF) for number in range(FEW_PRODUCTS + 1)]
    columns = ["customer_id", "product_id", "first_bought_on", "last_bought_on"]
    found = RecommendationsOutput().segments({"customer_products": pd.DataFrame(pairs, columns=columns)})
    assert found["history"].to_dict() == {"once": "new", "twice": "few", "again": "few", "long": "many"}
    assert list(found) == ["history"]


def test_customers_are_told_apart_by_where_they_ordered_last() -> None:
    bought = pd.DataFrame({"customer_id": ["ann", "bob", "cy", "dee"], "product_id": "a"}, dtype="str")
    bought = bought.assign(first_bought_on=CUTOFF, last_bought_on=CUTOFF)
    places = [
        ("ann", "FR", "web"),
        ("bob", None, "app"),
        ("cy", "DE", None),
        ("somebody who is not judged", "FR", "web"),
    ]
    customers = pd.DataFrame(places, columns=["customer_id", "country", "channel"], dtype="str").assign(as_of=CUTOFF)
    found = RecommendationsOutput().segments({"customer_products": bought, "customers": customers})
    assert found.index.tolist() == ["ann", "bob", "cy", "dee"]
    assert found["country"].dropna().to_dict() == {"ann": "FR", "cy": "DE"}
    assert found["channel"].dropna().to_dict() == {"ann": "web", "bob": "app"}


def test_a_store_that_says_neither_country_nor_channel_has_no_such_segment() -> None:
    ids = [f"c{number:03d}" for number in range(LEAST_ENTITIES)]
    bought = pd.DataFrame({"customer_id": ids, "product_id": "a"}, dtype="str")
    bought = bought.assign(first_bought_on=CUTOFF, last_bought_on=CUTOFF)
    customers = bought[["customer_id"]].assign(country=None, channel=None).astype("str").assign(as_of=CUTOFF)
    figures = pd.DataFrame({"numerator": 1.0, "denominator": 1.0}, index=ids)
    found = Evaluation("popular_ever", {CUTOFF: {"ndcg": figures}})
    found.members[CUTOFF] = RecommendationsOutput().segments({"customer_products": bought, "customers": customers})
    assert found.segments("ndcg") == ["history=new"]


def home_with(tmp_path: Path, **settings: Any) -> Home:
    """A home whose lists have three places."""
    chosen = Settings(recommendations={"top_k": 3} | settings)  # type: ignore[arg-type]
    return Home(Places.from_environment({"NIGHTCART_HOME": str(tmp_path)}), chosen)
