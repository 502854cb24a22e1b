"""Metrics of lists by hand, and against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score

from benchmarks import metrics
from benchmarks.interactions import Round


def shown(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "product_id", "rank"])


def pairs(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "product_id"])


LISTS = shown(("a", "p", 1), ("a", "q", 2), ("b", "p", 1), ("b", "r", 2), ("c", "q", 1))
TARGETS = pairs(("a", "q"), ("a", "s"), ("b", "p"), ("d", "p"))


def test_metrics_by_hand() -> None:
    assert metrics.hit_rate(LISTS, TARGETS, 2).to_dict() == {"a": 1.0, "b": 1.0, "d": 0.0}
    assert metrics.recall(LISTS, TARGETS, 2).to_dict() == {"a": 0.5, "b": 1.0, "d": 0.0}
    assert metrics.mrr(LISTS, TARGETS, 2).to_dict() == {"a": 0.5, "b": 1.0, "d": 0.0}
    second = 1 / np.log2(3)
    assert metrics.ndcg(LISTS, TARGETS, 2).to_dict() == pytest.approx({"a": second / (1 + second), "b": 1.0, "d": 0.0})


def test_metrics_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(4)
    scores, wanted = random.random((40, 30)), random.random((40, 30)) < 0.1
    wanted[np.arange(40), random.integers(0, 30, 40)] = True
    who, what = np.indices(scores.shape)
    names = [np.char.add("u", who.ravel().astype(str)), np.char.add("i", what.ravel().astype(str))]
    lists = pd.DataFrame({"customer_id": names[0], "product_id": names[1], "score": scores.ravel()})
    targets = lists.loc[wanted.ravel(), ["customer_id", "product_id"]]
    found = metrics.ndcg(metrics.at_k(lists, 10, 1), targets, 10)
    assert found.mean() == pytest.approx(ndcg_score(wanted, scores, k=10))
    single = np.zeros_like(wanted)
    single[np.arange(40), random.integers(0, 30, 40)] = True
    one = lists.loc[single.ravel(), ["customer_id", "product_id"]]
    whole = metrics.at_k(lists, 30, 1)
    assert metrics.mrr(whole, one, 30).mean() == pytest.approx(label_ranking_average_precision_score(single, scores))


def test_equal_scores_are_drawn() -> None:
    lists = pd.DataFrame({"customer_id": "a", "product_id": list("pqrstuvw"), "score": [2.0] + [1.0] * 7})
    found = [tuple(metrics.at_k(lists, 3, seed)["product_id"]) for seed in range(20)]
    assert {one[0] for one in found} == {"p"}
    assert len(set(found)) > 5
    assert found[0] == tuple(metrics.at_k(lists, 3, 0)["product_id"])


def test_coverage_novelty_and_diversity_by_hand() -> None:
    known = pairs(("a", "p"), ("b", "p"), ("c", "p"), ("d", "p"), ("a", "q"), ("b", "q"), ("c", "r"), ("c", "r"))
    assert metrics.coverage(LISTS, 4) == pytest.approx(3 / 4)
    one = shown(("x", "p", 1), ("x", "r", 2))
    assert metrics.novelty(one, known) == pytest.approx((0 + 2) / 2)
    assert metrics.diversity(one, known, 1) == pytest.approx(1 - 1 / np.sqrt(4 * 1))


def test_recall_of_items_that_nobody_had_before() -> None:
    one = Round(None, pairs(("a", "p"), ("b", "q")), TARGETS)  # type: ignore[arg-type]
    assert metrics.first_sold(LISTS, one) == {"targets": 1, "recall": 0.0}, "r is shown, s was wanted"
    assert metrics.first_sold(shown(("a", "s", 1), ("a", "q", 2)), one) == {"targets": 1, "recall": 1.0}
    assert metrics.first_sold(LISTS[LISTS["product_id"] != "r"], one) == {"targets": 1, "recall": None}


def test_figures_have_intervals_around_them() -> None:
    known = pairs(("a", "p"), ("b", "p"), ("d", "q"), ("a", "r"))
    lists = LISTS.assign(score=1.0 / LISTS["rank"]).drop(columns="rank")
    found = metrics.figures(lists, Round(None, known, TARGETS), 2, seed=1, resamples=200)  # type: ignore[arg-type]
    value, low, high = found["hit_rate_at_2"]  # type: ignore[misc]
    assert value == pytest.approx(2 / 3, abs=1e-5)
    assert low <= value <= high
