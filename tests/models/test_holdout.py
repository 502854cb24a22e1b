"""The hold-out: the same customers every night, more of them with a greater share, shown the default list."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recommendations.holdout import default_lists, in_holdout
from models.recommendations.lists import COLUMNS

SHARE = st.floats(0.0, 1.0)
NIGHT = pd.Timestamp("2024-03-01")


def customers(count: int) -> pd.Series:
    return pd.Series([f"c{number}" for number in range(count)])


@given(st.lists(st.text(max_size=8), max_size=40, unique=True), SHARE, SHARE, st.integers(0, 2**31))
def test_a_greater_share_keeps_those_of_a_smaller(names: list[str], one: float, other: float, seed: int) -> None:
    found = pd.Series(names, dtype=object)
    small, large = (in_holdout(found, share, seed) for share in sorted((one, other)))
    assert not (small & ~large).any()
    assert not in_holdout(found, 0.0, seed).any()


@given(st.integers(0, 2**31))
def test_who_else_is_there_does_not_matter(seed: int) -> None:
    found = customers(60)
    held = set(found[in_holdout(found, 0.3, seed)])
    shuffled = found.sample(30, random_state=seed % 1000)
    assert set(shuffled[in_holdout(shuffled, 0.3, seed)]) == held & set(shuffled)


def test_the_share_is_met_and_another_seed_draws_others() -> None:
    found = customers(40_000)
    held = in_holdout(found, 0.05, 7)
    assert held.mean() == pytest.approx(0.05, abs=0.004)
    both = (held & in_holdout(found, 0.05, 8)).mean()
    assert both == pytest.approx(0.05**2, abs=0.001)
    kinds = (in_holdout(found.astype("str"), 0.05, 7), in_holdout(found.astype(object), 0.05, 7))
    assert all(np.array_equal(held, again) for again in kinds)


def test_the_list_of_the_country_else_of_all() -> None:
    defaults = pd.DataFrame(
        [("", "", "p1"), ("", "", "p2"), ("FR", "", "p3"), ("FR", "web", "p4"), ("", "web", "p5")],
        columns=["country", "channel", "product_id"],
    ).assign(rank=1, score=0.5)
    defaults.loc[1, "rank"] = 2
    asked = pd.DataFrame({"as_of": NIGHT, "customer_id": ["a", "b", "c"], "country": ["FR", "DE", None]})
    like = pd.DataFrame(columns=COLUMNS).astype(
        {"as_of": "datetime64[us]", "rank": "int64", "score": "float64"}
        | dict.fromkeys(("customer_id", "product_id", "reason", "reason_product_id"), "str")
    )
    found = default_lists(asked, defaults, like)
    assert found.groupby("customer_id")["product_id"].agg(list).to_dict() == {
        "a": ["p3"],
        "b": ["p1", "p2"],
        "c": ["p1", "p2"],
    }
    assert found.dtypes.to_dict() == like.dtypes.to_dict()
    assert set(found["reason"]) == {"popular"}
