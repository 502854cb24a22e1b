"""What a training leaves: every contestant's figures and the gains of the best, per segment, in records and MLflow."""

from __future__ import annotations

import re
from datetime import date

import sqlalchemy as sa

from models.metrics import value
from pipelines.home import Home
from pipelines.records import ALL, model_performance, promotions
from pipelines.scoring.outputs import output_of
from pipelines.training.gate import decide
from pipelines.training.tracking import _metrics
from pipelines.training.train import _record
from tests.training.generators import PRODUCTS, evaluation, in_segments

AS_OF, DEMAND = date(2011, 11, 1), output_of("demand")
SEGMENTS = {ALL: PRODUCTS, "product=new": 100, "product=old": PRODUCTS - 50, "product=tiny": 50}


def test_segments_are_recorded_and_tracked(home: Home) -> None:
    base, best = in_segments(evaluation("seasonal_naive", 1.0)), in_segments(evaluation("recent_mean", 0.6), worse=3.0)
    decision = decide(home, DEMAND, [base, best], None, "seasonal_naive")
    _record(home, DEMAND, AS_OF, [base, best], {"model": "recent_mean", "model_version": "recent_mean-1"}, decision)
    figures = home.records.rows(sa.select(model_performance).where(model_performance.c.model == "recent_mean"))
    assert {row["segment"]: row["n"] for row in figures} == SEGMENTS
    assert {row["model_version"] for row in figures} == {"recent_mean-1"}
    gains = {row["segment"]: row for row in home.records.rows(sa.select(promotions))}
    assert gains.keys() == SEGMENTS.keys()
    assert {row["metric"] for row in gains.values()} == {"wape"}
    assert gains["product=new"]["ci_high"] < 0 < gains["product=old"]["ci_low"]
    assert all(row["is_promoted"] for row in gains.values())

    tracked = _metrics(home, DEMAND, best, decision)
    assert all(re.fullmatch(r"[\w/ .:-]+", name) for name in tracked)  # as MLflow asks
    assert tracked["all/wape"] > tracked["product_old/wape"]
    assert tracked["gain_product_new/over_seasonal_naive"] < 0 < tracked["gain/over_seasonal_naive_low"]


def test_a_gain_that_is_not_enough_is_recorded_as_the_best_contestants(home: Home) -> None:
    best = evaluation("recent_mean", 1.0, noise=0.6)
    evaluations = [evaluation("seasonal_naive", value(best.pooled("wape")) + 0.001), best]
    decision = decide(home, DEMAND, evaluations, None, "seasonal_naive")
    assert "the baseline serves" in decision.reason
    version = {"model": "seasonal_naive", "model_version": "seasonal_naive-1"}
    _record(home, DEMAND, AS_OF, evaluations, version, decision)
    (row,) = home.records.rows(sa.select(promotions))
    assert (row["challenger"], row["against"], row["is_promoted"]) == ("recent_mean", "seasonal_naive", False)
