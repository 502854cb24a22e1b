"""The oracle's lists by hand: appeal, season and taste add up, and only what may be shown is on them."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.protocol import Features
from pipelines.training import preferences
from pipelines.training.preferences import oracle_lists

AS_OF = date(2024, 6, 1)
MID_WINDOW = 167 - 1  # days of 2024 before 15 June, 14 days after as_of
APPEAL = {"a": 3.0, "b": 2.0, "c": 1.0, "d": 0.0}


def write(
    folder: Path, tastes: dict[str, tuple[float, float]], amplitude: float = 0.0, peak: float = MID_WINDOW
) -> Path:
    """Products a and b are all of the first factor, c and d of the second; d alone is in the garden department."""
    factors = pd.DataFrame({"factor_0": [1.0, 1.0, 0.0, 0.0], "factor_1": [0.0, 0.0, 1.0, 1.0]})
    products = pd.DataFrame({"product_id": list(APPEAL), "log_appeal": list(APPEAL.values())})
    pd.concat([products, factors], axis=1).to_parquet(folder / "product_preferences.parquet")
    customers = pd.DataFrame.from_dict(tastes, orient="index", columns=["factor_0", "factor_1"])
    customers.rename_axis("customer_id").reset_index().to_parquet(folder / "customer_preferences.parquet")
    seasons = {"department": ["garden", "home"], "log_amplitude": [amplitude, 0.0], "peak_day_of_year": [peak, 0.0]}
    pd.DataFrame(seasons).to_parquet(folder / "seasonality.parquet")
    return folder


def frames(bought: list[tuple[str, str]], gone: str = "") -> Features:
    products = pd.DataFrame({"as_of": AS_OF, "product_id": list(APPEAL)})
    products["category"] = ["home > x", "home > x", "home", "garden > y"]
    products["is_active"] = products["product_id"] != gone
    customers = pd.DataFrame(bought, columns=["customer_id", "product_id"]).assign(as_of=AS_OF)
    return {"products": products, "customer_products": customers}


def lists(features: Features, folder: Path, top_k: int = 4, exclude_bought: bool = False) -> dict[str, str]:
    """Each customer's products in the order of their ranks."""
    found = oracle_lists(features, folder, top_k, exclude_bought)
    assert (found["as_of"] == AS_OF).all()
    assert found.groupby("customer_id")["rank"].agg(list).map(lambda ranks: ranks == [*range(1, top_k + 1)]).all()
    return found.groupby("customer_id")["product_id"].agg("".join).to_dict()


def test_the_best_by_appeal_and_taste_come_first(tmp_path: Path) -> None:
    folder = write(tmp_path, {"plain": (0.0, 0.0), "second": (0.0, 2.5), "not_first": (-9.0, 0.0), "stranger": (5, 5)})
    features = frames([("plain", "a"), ("second", "a"), ("not_first", "a")])
    assert lists(features, folder) == {"plain": "abcd", "second": "cadb", "not_first": "cdab"}
    assert lists(features, folder, 2) == {"plain": "ab", "second": "ca", "not_first": "cd"}


@pytest.mark.parametrize(
    ("peak", "expected"), [(MID_WINDOW, "adbc"), (MID_WINDOW - 365.25 / 4, "abcd"), (MID_WINDOW - 365.25 / 2, "abcd")]
)
def test_a_season_counts_by_the_middle_of_the_window(tmp_path: Path, peak: float, expected: str) -> None:
    """At its height the garden is worth 2.5 more, a quarter of a year from it nothing, half a year from it 2.5 less."""
    folder = write(tmp_path, {"c": (0.0, 0.0)}, amplitude=2.5, peak=peak)
    assert lists(frames([("c", "a")]), folder) == {"c": expected}
    season = preferences._season(frames([])["products"], folder)
    turned = 2 * math.pi * (MID_WINDOW - peak) / 365.25
    assert season == pytest.approx([0.0, 0.0, 0.0, 2.5 * math.cos(turned)], abs=1e-9)


def test_what_was_bought_is_left_out_where_the_shop_says_so(tmp_path: Path) -> None:
    folder = write(tmp_path, {"c": (0.0, 0.0), "e": (0.0, 0.0)})
    features = frames([("c", "a"), ("c", "c"), ("e", "d"), ("e", "never heard of")])
    assert lists(features, folder, 2) == {"c": "ab", "e": "ab"}
    assert lists(features, folder, 2, exclude_bought=True) == {"c": "bd", "e": "ab"}


def test_only_what_is_on_sale_is_listed(tmp_path: Path) -> None:
    folder = write(tmp_path, {"c": (0.0, 0.0)})
    assert lists(frames([("c", "a")], gone="b"), folder, 3) == {"c": "acd"}


def test_of_equals_the_first_by_id_comes_first(tmp_path: Path) -> None:
    folder = write(tmp_path, {"c": (0.0, 1.0), "e": (-1.0, 0.0)})
    assert lists(frames([("c", "a"), ("e", "a")]), folder) == {"c": "abcd", "e": "abcd"}


def test_chunks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    folder = write(tmp_path, {f"c{place}": tuple(random.normal(0, 3, 2)) for place in range(7)})
    features = frames([(f"c{place}", "abcd"[place % 4]) for place in range(7)])
    whole = lists(features, folder, 3, exclude_bought=True)
    assert len(set(whole.values())) > 2
    monkeypatch.setattr(preferences, "CHUNK", 2)
    assert lists(features, folder, 3, exclude_bought=True) == whole
