"""What a training leaves: every contestant's figures and the gains of the best, per segment, in records and MLflow."""

from __future__ import annotations

import json
import re
from datetime import date

import plotly.graph_objects
import sqlalchemy as sa

from models.metrics import value
from pipelines.home import Home
from pipelines.publishing.report.gate import gate_figure
from pipelines.records import ALL, model_performance, promotions
from pipelines.scoring.outputs import output_of
from pipelines.training.evidence import Evidence, rows_of, told
from pipelines.training.gate import Decision, decide
from pipelines.training.tracking import _metrics
from pipelines.training.train import _record
from tests.training.generators import CUTOFFS, PRODUCTS, evaluation, in_segments

AS_OF, DEMAND = date(2011, 11, 1), output_of("demand")
SEGMENTS = {ALL: PRODUCTS, "product=new": 100, "product=old": PRODUCTS - 50, "product=tiny": 50}


def test_segments_are_recorded_and_tracked(home: Home) -> None:
    base, best = in_segments(evaluation("seasonal_naive", 1.0)), in_segments(evaluation("recent_mean", 0.6), worse=3.0)
    decision = decide(home, DEMAND, [base, best], None, "seasonal_naive")
    version = {"model": "recent_mean", "model_version": "recent_mean-1"}
    evidence = Evidence(DEMAND, AS_OF, tuple(CUTOFFS), decision, {"tsb": "too little time"})
    _record(home, evidence, [base, best], version)
    figures = home.records.rows(sa.select(model_performance).where(model_performance.c.model == "recent_mean"))
    assert {row["segment"]: row["n"] for row in figures} == SEGMENTS
    assert {row["model_version"] for row in figures} == {"recent_mean-1"}
    recorded = home.records.rows(sa.select(promotions))
    assert [(row["challenger"], row["reason"]) for row in recorded if row["role"] == "left_out"] == [
        ("tsb", "too little time")
    ]
    gains = {row["segment"]: row for row in recorded if row["role"] != "left_out"}
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
    _record(home, Evidence(DEMAND, AS_OF, tuple(CUTOFFS), decision), evaluations, version)
    (row,) = home.records.rows(sa.select(promotions))
    assert (row["challenger"], row["against"], row["is_promoted"]) == ("recent_mean", "seasonal_naive", False)


def test_the_evidence_says_what_decided_and_shows_it(home: Home) -> None:
    base, champion = in_segments(evaluation("seasonal_naive", 1.0)), in_segments(evaluation("tsb", 0.8))
    best = in_segments(evaluation("recent_mean", 0.6, noise=0.1))
    evidence = Evidence(DEMAND, AS_OF, tuple(CUTOFFS), decide(home, DEMAND, [base, best], champion, base.model))
    found = json.loads(json.dumps(told(home, evidence, {"model_version": "recent_mean-1"}), allow_nan=False))
    assert (found["is_promoted"], found["segment_floor"], found["cutoffs"][0]) == (True, 0.05, "2011-05-17")
    by = {(one["role"], one["segment"]): (one["by"], one["among"]) for one in found["comparisons"]}
    assert by["champion", ALL] == ("gain", 2)
    assert by["baseline", ALL] == ("gain", 1)
    assert by["champion", "product=new"] == ("floor", 1)
    assert by["baseline", "product=new"] == (None, 1)

    figure = gate_figure(rows_of(evidence), home.settings.gate)
    assert figure is not None
    assert [trace["name"] for trace in figure["data"]] == ["over the champion tsb", "over the baseline seasonal naive"]
    assert figure["layout"]["yaxis"]["ticktext"] == ["product: tiny", "product: old", "product: new", "all"]
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [0.0, -0.05]
    plotly.graph_objects.Figure(figure)  # refuses what it does not know


def test_nothing_compared_gives_no_picture(home: Home) -> None:
    evidence = Evidence(DEMAND, AS_OF, (), Decision("seasonal_naive", True, "the baseline serves"), {"tsb": "why"})
    assert gate_figure(rows_of(evidence), home.settings.gate) is None
