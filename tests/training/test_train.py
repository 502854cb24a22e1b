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
from pipelines.records import ALL, Row, decisions, model_performance, promotions
from pipelines.scoring.outputs import output_of
from pipelines.training.evidence import Evidence, rows_of, told
from pipelines.training.gate import Decision, decide
from pipelines.training.tracking import _metrics
from pipelines.training.train import _record, _unjudged
from tests.training.generators import CUTOFFS, PRODUCTS, evaluation, in_segments

AS_OF, NEXT, DEMAND = date(2011, 11, 1), date(2011, 11, 2), output_of("demand")
SEGMENTS = {ALL: PRODUCTS, "product=new": 100, "product=old": PRODUCTS - 50, "product=tiny": 50}


def test_segments_are_recorded_and_tracked(home: Home) -> None:
    base, best = in_segments(evaluation("seasonal_naive", 1.0)), in_segments(evaluation("recent_mean", 0.6), worse=3.0)
    decision = decide(home, DEMAND, [base, best], None, "seasonal_naive")
    evidence = evidence_of(decision, left_out={"tsb": "too little time"})
    _record(home, evidence, [base, best])
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
    _record(home, evidence_of(decision), evaluations)
    (row,), (decided,) = (home.records.rows(sa.select(table)) for table in (promotions, decisions))
    assert (row["challenger"], row["against"], row["is_promoted"]) == ("recent_mean", "seasonal_naive", False)
    assert {name for name in row if row[name] != decided.get(name)} == {"id", "segment"}
    assert (decided["model_version"], decided["effective_from"]) == ("seasonal_naive-1", NEXT)  # the baseline serves


def test_a_decision_is_one_row_promoted_refused_or_without_anyone_to_judge(home: Home) -> None:
    base, champion = in_segments(evaluation("seasonal_naive", 1.0)), in_segments(evaluation("tsb", 0.8))
    worse = in_segments(evaluation("recent_mean", 0.6, noise=0.1), worse=3.0)
    better = in_segments(evaluation("recent_mean", 0.6, noise=0.1))
    _record(home, evidence_of(decide(home, DEMAND, [base, better], champion, base.model)), [base, better])
    assert recorded(home)["is_promoted"]

    _record(home, evidence_of(decide(home, DEMAND, [base, worse], champion, base.model)), [base, worse])
    row = recorded(home)  # trained again as of the same night: in its place
    assert (row["is_promoted"], row["effective_from"], row["decided_by"]) == (False, None, "train")
    assert "tsb stays; recent_mean is worse by more than 5.0%: wape of product=new" in row["reason"]
    assert (row["challenger"], row["against"], row["role"]) == ("recent_mean", "tsb", "champion")
    gains = {(one["role"], one["segment"]): one for one in row["figures"]}
    assert row["gain"] == gains["champion", ALL]["gain"]
    assert (row["worst_segment"], row["below_floor"]) == ("product=new", "wape of product=new")
    assert row["worst_ci_high"] == gains["champion", "product=new"]["ci_high"] < -0.05

    absent = {"seasonal_naive": "too little data", "tsb": "too little time"}
    _record(home, evidence_of(_unjudged("seasonal_naive", {"model": "tsb"}, absent), left_out=absent), [])
    row = recorded(home)
    assert row["reason"] == "tsb stays; nothing could be judged: seasonal_naive: too little data; tsb: too little time"
    assert (row["challenger"], row["is_promoted"], row["figures"]) == ("seasonal_naive", False, [])
    empty = ("against", "role", "gain", "ci_low", "effective_from", "worst_segment", "worst_gain", "below_floor")
    assert {row[name] for name in empty} == {None}


def evidence_of(decision: Decision, left_out: dict[str, str] | None = None) -> Evidence:
    """What a training leaves that ended so."""
    version = {"model": decision.challenger, "model_version": f"{decision.challenger}-1"}
    effective_from = NEXT if decision.is_promoted else None
    return Evidence(DEMAND, AS_OF, tuple(CUTOFFS), decision, version, effective_from, "train", left_out or {})


def recorded(home: Home) -> Row:
    (row,) = home.records.rows(sa.select(decisions))
    return row


def test_the_evidence_says_what_decided_and_shows_it(home: Home) -> None:
    base, champion = in_segments(evaluation("seasonal_naive", 1.0)), in_segments(evaluation("tsb", 0.8))
    best = in_segments(evaluation("recent_mean", 0.6, noise=0.1))
    evidence = evidence_of(decide(home, DEMAND, [base, best], champion, base.model))
    found = json.loads(json.dumps(told(home, evidence), allow_nan=False, default=str))
    assert (found["is_promoted"], found["segment_floor"], found["cutoffs"][0]) == (True, 0.05, "2011-05-17")
    by = {(one["role"], one["segment"]): (one["by"], one["among"]) for one in found["figures"]}
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
    evidence = evidence_of(Decision("seasonal_naive", True, "the baseline serves"), left_out={"tsb": "why"})
    assert gate_figure(rows_of(evidence), home.settings.gate) is None
