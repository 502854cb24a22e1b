"""Rules with proof: whatever the store and the rules, the audit's own queries find nothing in what was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.recommendations.rules import Rules, apply_rules
from pipelines.publishing.audit_rules.business import BUSINESS
from pipelines.publishing.audit_rules.recommendations import RECOMMENDATIONS

ALL_RULES = (*RECOMMENDATIONS, *BUSINESS)
OF_REASONS = "a reason's product is one that the customer bought"
CATEGORIES = (None, "food", "food > tea", "foodstuff", "toys", "toys > wood")
Store = dict[str, pd.DataFrame]


def store(seed: int, products: int, customers: int, length: int) -> Store:
    """A shop of any shape: products without category, cost, price or stock, lists that hold anything once."""
    random = np.random.default_rng(seed)
    names = np.array([f"p{which:02d}" for which in range(products)])
    people = [f"c{which}" for which in range(customers)]
    facts = pd.DataFrame(
        {
            "product_id": names,
            "category": pd.Series([CATEGORIES[which] for which in random.integers(0, 6, products)], dtype="str"),
            "is_active": random.random(products) < 0.8,
            "unit_price": random.integers(0, 12, products) / 4,
            "unit_cost": pd.Series(random.integers(0, 10, products) / 4).mask(random.random(products) < 0.2),
            "on_hand": pd.Series(random.integers(0, 4, products), dtype="Float64").mask(random.random(products) < 0.3),
        }
    )
    bought = [(who, what) for who in people for what in random.choice(names, random.integers(1, products + 1), False)]
    lists = [
        (who, rank + 1, what, 1.0 / (rank + 1))
        for who in people
        for rank, what in enumerate(random.permutation(names)[: random.integers(1, length + 1)])
    ]
    order = random.permutation(names)
    popular = pd.DataFrame({"rank": np.arange(products) + 1, "product_id": order, "score": np.arange(products)[::-1]})
    ranked = pd.DataFrame(lists, columns=["customer_id", "rank", "product_id", "score"])
    ranked = ranked.assign(as_of=pd.Timestamp("2024-01-01"), reason="model", reason_product_id=None)
    return {
        "facts": facts,
        "bought": pd.DataFrame(bought, columns=["customer_id", "product_id"]).astype("str"),
        "popular": popular.astype({"product_id": "str", "score": float}),
        "lists": ranked.astype(
            {"customer_id": "str", "product_id": "str", "reason": "str", "reason_product_id": "str", "rank": "int64"}
        ),
    }


def made(shop: Store, rules: Rules) -> pd.DataFrame:
    return apply_rules(shop["lists"], shop["popular"], shop["facts"], shop["bought"], rules)


def broken(shop: Store, found: pd.DataFrame, rules: Rules) -> dict[str, int]:
    """The rules of `recommendations` that are broken, each with the number of rows."""
    facts = shop["facts"]
    with duckdb.connect(":memory:") as connection:
        connection.execute("set threads = 1")
        for name in ("banned", "pinned", "repeatable_categories"):
            connection.execute(f"set variable {name} = $value", {"value": list(getattr(rules, name))})
        for name in ("top_k", "exclude_bought", "max_per_category", "min_margin"):
            connection.execute(f"set variable {name} = $value", {"value": getattr(rules, name)})
        missing = shop["bought"]["customer_id"].nunique() - found["customer_id"].nunique()
        connection.execute("set variable unserved = $value", {"value": missing})
        tables = {
            "recommendations": found.assign(arm="model"),
            "features_customer_products": shop["bought"],
            "features_products": facts[["product_id", "is_active"]],
            "dim_products_of_floats": facts[["product_id", "category", "unit_price", "unit_cost"]],
            "features_stock": facts.loc[facts["on_hand"].notna(), ["product_id", "on_hand"]].astype({"on_hand": int}),
        }
        for name, frame in tables.items():
            connection.register(name, pa.Table.from_pandas(frame, preserve_index=False))
        connection.execute(
            """
            create view dim_products as
            select * replace (unit_price::decimal(18, 4) as unit_price, unit_cost::decimal(18, 4) as unit_cost)
            from dim_products_of_floats
            """
        )
        rules_of_lists = [rule for rule in ALL_RULES if rule.table == "recommendations" and rule.name != OF_REASONS]
        counts = [
            f"select {place} as place, count(*) as n from ({rule.sql})" for place, rule in enumerate(rules_of_lists)
        ]
        rows = connection.sql(" union all ".join(counts)).fetchall()
    return {rules_of_lists[place].name: count for place, count in rows if count}


some_products = st.lists(st.integers(0, 14).map(lambda which: f"p{which:02d}"), max_size=4).map(tuple)
some_rules = st.builds(
    Rules,
    top_k=st.integers(1, 8),
    exclude_bought=st.booleans(),
    repeatable_categories=st.lists(st.sampled_from(CATEGORIES[1:]), max_size=2).map(tuple),
    max_per_category=st.none() | st.integers(1, 3),
    min_margin=st.none() | st.floats(-0.5, 0.9),
    pinned=some_products,
    banned=some_products,
)
some_store = st.builds(store, st.integers(0, 2**31), st.integers(1, 14), st.integers(1, 4), st.sampled_from([1, 3, 20]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_store, some_rules)
def test_no_store_and_no_rules_are_violated(shop: Store, rules: Rules) -> None:
    found = made(shop, rules)
    assert broken(shop, found, rules) == {}
    assert found["score"].notna().all()
    assert found.groupby("customer_id")["score"].apply(lambda score: score.is_monotonic_decreasing).all()
    assert list(found.dtypes) == list(shop["lists"][found.columns].dtypes)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_store, some_rules)
def test_ten_thousand_stores_and_rules(shop: Store, rules: Rules) -> None:
    assert broken(shop, made(shop, rules), rules) == {}


def small(**changes: Any) -> tuple[Store, pd.DataFrame]:
    """One customer, six products that may all be shown, a list of them all; and the list that is made."""
    shop = store(1, 6, 1, 1)
    shop["facts"] = shop["facts"].assign(
        is_active=True, on_hand=5.0, unit_price=2.0, unit_cost=1.0, category=["a", "a", "a", "b", "b", "a > c"]
    )
    shop["bought"] = pd.DataFrame({"customer_id": ["c0"], "product_id": ["p00"]}).astype("str")
    shop["popular"] = shop["popular"].assign(product_id=[f"p0{which}" for which in range(6)])
    rows = pd.concat([shop["lists"].iloc[:1]] * 6, ignore_index=True)
    shop["lists"] = rows.assign(rank=range(1, 7), product_id=shop["facts"]["product_id"], score=np.arange(6.0)[::-1])
    return shop, made(shop, Rules(**({"top_k": 6, "exclude_bought": False} | changes)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "012345"),
        ({"top_k": 2}, "01"),
        ({"banned": ("p01",)}, "02345"),
        ({"pinned": ("p04", "p09", "p02")}, "420135"),
        ({"pinned": ("p01",), "banned": ("p01",)}, "02345"),
        ({"max_per_category": 1}, "035"),
        ({"max_per_category": 1, "pinned": ("p02",)}, "235"),
        ({"exclude_bought": True}, "12345"),
        ({"exclude_bought": True, "repeatable_categories": ("a",)}, "012345"),
        ({"exclude_bought": True, "repeatable_categories": ("a > c",)}, "12345"),
        ({"min_margin": 0.5}, "012345"),
        ({"min_margin": 0.51}, ""),
    ],
)
def test_each_rule_by_hand(changes: dict[str, Any], expected: str) -> None:
    _, found = small(**changes)
    assert "".join(name[-1] for name in found["product_id"]) == expected
    assert found["rank"].tolist() == list(range(1, len(found) + 1))


def test_a_short_list_is_filled_up_with_what_is_popular() -> None:
    shop, _ = small()
    shop["lists"] = shop["lists"].iloc[:2]
    found = made(shop, Rules(top_k=5, exclude_bought=True))
    assert "".join(name[-1] for name in found["product_id"]) == "12345"
    assert found["reason"].tolist() == ["model"] + ["popular"] * 4


def swap(found: pd.DataFrame) -> pd.DataFrame:
    return found.assign(rank=found["rank"].to_numpy()[::-1])


@pytest.mark.parametrize(
    ("asked", "spoil", "rule"),
    [
        ({"banned": ("p05",)}, lambda found: found, "no banned product"),
        ({"max_per_category": 2}, lambda found: found, "no more of a category"),
        ({"min_margin": 0.6}, lambda found: found, "have the margin"),
        ({"exclude_bought": True}, lambda found: found, "what a customer bought"),
        ({"pinned": ("p01", "p00")}, lambda found: found, "pinned products stand first"),
        ({"pinned": ("p01",)}, lambda found: found[found["product_id"] != "p01"], "is left out only where"),
        ({}, lambda found: found.iloc[:-1], "is shorter than"),
        ({}, lambda found: found.iloc[:0], "is shorter than"),
    ],
)
def test_the_audit_finds_what_breaks_a_rule(
    asked: dict[str, Any], spoil: Callable[[pd.DataFrame], pd.DataFrame], rule: str
) -> None:
    shop, found = small()
    names = broken(shop, spoil(found), Rules(**({"top_k": 6, "exclude_bought": False} | asked)))
    assert any(rule in name for name in names), names


def test_the_audit_finds_what_is_out_of_stock() -> None:
    shop, found = small()
    shop["facts"]["on_hand"] = 0.0
    assert "recommended products are in stock" in broken(shop, found, Rules(top_k=6, exclude_bought=False))
