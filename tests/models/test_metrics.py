"""Metrics against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import metrics

DAY = pd.Timestamp("2015-06-01")


def _scored(units: list[float], p50: list[float]) -> pd.DataFrame:
    frame = pd.DataFrame({"as_of": DAY, "product_id": ["a", "a", "b"], "horizon": [1, 2, 1], "units": units})
    return frame.assign(units_mean=p50, units_p10=[0.0, 1.0, 4.0], units_p50=p50, units_p90=[4.0, 3.0, 6.0])


SCORED = _scored([2.0, 4.0, 4.0], [1.0, 2.0, 5.0])
SCALES = pd.DataFrame({"as_of": DAY, "product_id": ["a", "b"], "scale": [2.0, 0.0]})


def test_wape_divides_absolute_errors_by_units() -> None:
    per_product = metrics.wape(SCORED)
    assert per_product.loc["a"].tolist() == [3.0, 6.0]
    assert metrics.value(per_product) == pytest.approx(4.0 / 10.0)


def test_bias_is_negative_where_too_little_is_forecast() -> None:
    assert metrics.value(metrics.bias(SCORED)) == pytest.approx(-2.0 / 10.0)


def test_coverage_counts_the_bounds_as_inside() -> None:
    assert metrics.value(metrics.coverage(SCORED)) == pytest.approx(2.0 / 3.0)


def test_mase_leaves_out_products_without_a_scale() -> None:
    per_product = metrics.mase(SCORED, SCALES)
    assert list(per_product.index) == ["a"]
    assert metrics.value(per_product) == pytest.approx((1.0 / 2.0 + 2.0 / 2.0) / 2.0)


def test_scaled_pinball_averages_the_three_levels() -> None:
    first = (0.1 * 2.0 + 0.5 * 1.0 + 0.1 * 2.0) / 3.0  # units 2 against 0, 1, 4
    second = (0.1 * 3.0 + 0.5 * 2.0 + 0.9 * 1.0) / 3.0  # units 4 against 1, 2, 3
    expected = (first + second) / 2.0 / 2.0
    assert metrics.value(metrics.scaled_pinball(SCORED, SCALES)) == pytest.approx(expected)


def test_value_of_nothing_is_nan() -> None:
    assert math.isnan(metrics.value(metrics.wape(SCORED.iloc[:0])))


def test_actuals_fill_zeros_and_leave_out_what_has_not_ended() -> None:
    predictions = SCORED.drop(columns="units").assign(horizon=[1, 2, 3])
    targets = pd.DataFrame({"as_of": [DAY], "product_id": ["a"], "horizon": [2], "units": [7]})
    targets["known_as_of"] = (DAY + pd.Timedelta(days=14)).date()
    scored = metrics.with_actuals(predictions, targets, 7)
    assert scored["horizon"].tolist() == [1, 2]
    assert scored["units"].tolist() == [0.0, 7.0]


def test_actuals_without_targets_are_refused() -> None:
    targets = pd.DataFrame({"as_of": [], "product_id": [], "horizon": [], "units": [], "known_as_of": []})
    with pytest.raises(ValueError, match="no targets"):
        metrics.with_actuals(SCORED, targets, 7)


def _list(products: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"as_of": DAY, "customer_id": "c", "rank": range(1, len(products) + 1), "product_id": list(products)}
    )


def _bought(**products: str) -> pd.DataFrame:
    pairs = [(customer, product) for customer, bought in products.items() for product in bought]
    return pd.DataFrame(pairs, columns=["customer_id", "product_id"]).assign(as_of=DAY)


def test_ndcg_of_hits_at_ranks_one_and_three() -> None:
    found = metrics.value(metrics.ndcg_at_k(_list("xyz"), _bought(c="xz"), 3))
    assert found == pytest.approx((1.0 + 0.5) / (1.0 + 1.0 / math.log2(3.0)))


def test_ndcg_of_a_perfect_list_is_one_though_more_was_bought() -> None:
    assert metrics.value(metrics.ndcg_at_k(_list("xy"), _bought(c="xyz"), 2)) == pytest.approx(1.0)


def test_recall_and_hit_rate_count_a_customer_without_a_list_as_zero() -> None:
    bought = _bought(c="xyw", d="x")
    assert metrics.value(metrics.recall_at_k(_list("xyz"), bought, 2)) == pytest.approx((2.0 / 3.0 + 0.0) / 2.0)
    assert metrics.value(metrics.hit_rate_at_k(_list("xyz"), bought, 2)) == pytest.approx(0.5)


def test_only_the_first_k_count() -> None:
    assert metrics.value(metrics.recall_at_k(_list("xyz"), _bought(c="z"), 2)) == 0.0
    with pytest.raises(ValueError, match="k is 0"):
        metrics.recall_at_k(_list("xyz"), _bought(c="z"), 0)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(1, 12), st.integers(0, 3))
def test_ranking_metrics_lie_between_zero_and_one(hits: list[bool], k: int, missed: int) -> None:
    names = [f"p{number}" for number in range(len(hits) + missed)]
    shown = pd.DataFrame({"as_of": DAY, "customer_id": "c", "product_id": names[: len(hits)]})
    shown["rank"] = np.arange(1, len(hits) + 1)
    wanted = [name for name, hit in zip(names, [*hits, *[True] * missed], strict=True) if hit]
    bought = pd.DataFrame({"as_of": DAY, "customer_id": "c", "product_id": wanted or ["other"]})
    for metric in (metrics.ndcg_at_k, metrics.recall_at_k, metrics.hit_rate_at_k):
        assert 0.0 <= metrics.value(metric(shown, bought, k)) <= 1.0 + 1e-12
