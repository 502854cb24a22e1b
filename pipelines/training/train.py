"""Train: build features at past cut-offs, evaluate every contestant, gate, and crown a champion."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from models.shelf import Shelf
from pipelines.contract import OUTPUTS
from pipelines.costs import record_training
from pipelines.errors import NightcartError
from pipelines.features.build import build_training_features
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.metering import Meter, Usage, metered
from pipelines.publishing.release import skipped_of
from pipelines.records import ALL, Row, clock, decisions, model_performance, promotions
from pipelines.scoring.frames import Frames
from pipelines.scoring.outputs import Output, output_of
from pipelines.training.champions import Rival, champion_of, load_model, rivals, store_model, succeed
from pipelines.training.cutoffs import Cutoffs, plan
from pipelines.training.evaluate import Evaluation, evaluate, figures_of, fit, stated
from pipelines.training.evidence import Evidence, row_of, rows_of
from pipelines.training.gate import Decision, decide
from pipelines.training.study import study
from pipelines.training.tracking import Fitted, track

TOO_LITTLE = "too little history before the night to judge a model on"
SHOWN = 1_000  # rows of each frame that show what a model takes and gives


def training_snapshot(home: Home, as_of: date) -> str:
    """Features at the past cut-offs of all outputs, and what came after them; returns the snapshot's digest."""
    cutoffs = plan(home, as_of)
    demand, recommendations = cutoffs["demand"], cutoffs["recommendations"]
    payments, tickets = ([as_of, *cutoffs[output].evaluation] for output in ("risk", "support"))
    with metered() as meter:
        built = build_training_features(
            home,
            as_of,
            cutoffs=demand.all,
            fit_cutoffs=sorted({as_of, *demand.evaluation, *recommendations.evaluation}),
            recommendation_cutoffs=recommendations.all,
            payment_fit_cutoffs=payments,
            ticket_fit_cutoffs=tickets,
        )
        record_training(home, ALL, as_of, {"features": meter.usage()})
    return str(built["snapshot"])


def train_first_champions(home: Home, as_of: date, earliest: str | date | None = None) -> Row:
    """Champions for the outputs that have none on this night, trained as of the earliest night asked for."""
    first = min(as_of, date.fromisoformat(str(earliest)[:10])) if earliest else as_of
    skipped = skipped_of(home, as_of)
    missing = [output for output in OUTPUTS if output not in skipped and champion_of(home, output, as_of) is None]
    if not missing:
        return {"trained": [], "untrained": {}}
    snapshot = training_snapshot(home, first)
    decisions = [train_output(home, output, first, snapshot, "first champion") for output in missing]
    return {
        "trained": [decision for decision in decisions if not decision["untrained"]],
        "untrained": {decision["output"]: decision["untrained"] for decision in decisions if decision["untrained"]},
    }


def train_output(home: Home, name: str, as_of: date, snapshot: str, decided_by: str) -> Row:
    """Evaluate, gate and, where the gate opens, crown a new champion of one output; returns the decision.

    Where even the baseline has too little to learn from there is none, and `untrained` says why. A first champion
    serves from as_of on; a later one is compared with what serves on the first night that it could serve. Run again it
    decides the same again.
    """
    with metered() as meter:
        return _train_output(home, name, as_of, snapshot, decided_by, meter)


def _train_output(home: Home, name: str, as_of: date, snapshot: str, decided_by: str, meter: Meter) -> Row:
    output, cutoffs = output_of(name), plan(home, as_of)[name]
    frames = _frames(home, output, snapshot)
    trials = home.settings.recommendations.study_trials if name == "recommendations" else 0
    if trials and cutoffs.evaluation:
        study(home, output, frames, cutoffs, trials)
    shelf = Shelf()
    evaluations, left_out = _evaluations(home, output, frames, cutoffs, as_of, shelf)
    for rival in rivals(home, name, as_of, decided_by):
        if evaluations:
            champion = _champion(home, output, frames, cutoffs, as_of, rival.serving, shelf)
            decision = decide(home, output, evaluations, champion, output.contestants()[0].name)
        else:
            decision = _unjudged(output.contestants()[0].name, rival.serving, left_out)
        try:
            fitted = _fitted(home, output, frames, cutoffs, as_of, decision, shelf)
        except ValueError as error:
            return {"output": name, "untrained": str(error), "snapshot": snapshot}
        if rival.again in (None, fitted.version["model_version"]):
            break
    decision = _crowned(home, output, fitted.version, rival, decided_by, decision)
    effective_from = rival.start if decision.is_promoted else None
    evidence = Evidence(
        output, as_of, cutoffs.evaluation, decision, fitted.version, effective_from, decided_by, left_out
    )
    _record(home, evidence, evaluations)
    spent = _spent(evaluations, fitted, meter)
    record_training(home, name, as_of, spent)
    track(home, output, as_of, snapshot, evaluations, fitted, evidence, spent[ALL])
    return {
        "output": name,
        "untrained": None,
        "model_version": fitted.version["model_version"],
        "is_promoted": decision.is_promoted,
        "effective_from": effective_from.isoformat() if effective_from else None,
        "reason": decision.reason,
        "metric": output.metric,
        "figures": {e.model: stated(e.figure(output.metric, home), "value") for e in evaluations},
        "left_out": left_out,
        "snapshot": snapshot,
    }


def fit_baseline(home: Home, name: str, as_of: date) -> Row:
    """The baseline fitted on what was known at as_of, stored and registered in MLflow: it does not serve by that.

    Raises:
        NightcartError: too little data to fit it on.
    """
    output, cutoffs = output_of(name), plan(home, as_of)[name]
    decision = Decision(output.contestants()[0].name, False, "fitted for a champion to be demoted to")
    with metered() as meter:
        snapshot = training_snapshot(home, as_of)
        try:
            fitted = _fitted(home, output, _frames(home, output, snapshot), cutoffs, as_of, decision, Shelf())
        except ValueError as error:
            raise NightcartError(f"no baseline of {name} can be fitted: {error}", "promote another version") from error
        evidence = Evidence(output, as_of, cutoffs.evaluation, decision, fitted.version)
        track(home, output, as_of, snapshot, [], fitted, evidence, meter.usage())
    return fitted.version


def _frames(home: Home, output: Output, snapshot: str) -> Frames:
    stored = Snapshot(home.storage, snapshot)
    tables = (*output.features.values(), *output.described.values(), output.targets)
    return {table: stored.frame(table) for table in tables}


def _unjudged(baseline: str, serving: Row | None, left_out: dict[str, str]) -> Decision:
    """Nothing could be judged: who serves stays, or where nobody does the baseline serves."""
    who = f"{serving['model']} stays; nothing could be judged" if serving else "the baseline serves"
    why = "; ".join(f"{model}: {why}" for model, why in left_out.items()) or TOO_LITTLE
    return Decision(baseline, serving is None, f"{who}: {why}")


def _crowned(home: Home, output: Output, version: Row, rival: Rival, decided_by: str, decision: Decision) -> Decision:
    """The decision, put into effect; refused where another took over since: the gate did not see that one."""
    if not decision.is_promoted:
        return decision
    if succeed(home, output.name, version, rival.start, decided_by, decision.reason, rival.serving):
        return decision
    now = champion_of(home, output.name, rival.start) or {}
    why = f"{now.get('model_version')} took over during this training (by {now.get('decided_by')}), train again"
    return replace(decision, is_promoted=False, reason=f"{why}; {decision.reason}")


def _evaluations(
    home: Home, output: Output, frames: Frames, cutoffs: Cutoffs, as_of: date, shelf: Shelf
) -> tuple[list[Evaluation], dict[str, str]]:
    """Every contestant that there is enough data for, and why the others are missing."""
    if not cutoffs.evaluation:
        return [], {}
    found, missing = [], {}
    for kind in output.contestants():
        try:
            found.append(evaluate(home, output, kind, frames, cutoffs, as_of, shelf=shelf))
        except ValueError as error:
            missing[kind.name] = str(error)
    has_baseline = any(evaluation.model == output.contestants()[0].name for evaluation in found)
    return (found if has_baseline else []), missing


def _spent(evaluations: list[Evaluation], fitted: Fitted, meter: Meter) -> dict[str, Usage]:
    """What each part of a training took, and all of it so far."""
    spent = {f"evaluate {evaluation.model}": evaluation.usage for evaluation in evaluations}
    return spent | {f"fit {fitted.model.name}": fitted.usage, ALL: meter.usage()}


def _champion(
    home: Home, output: Output, frames: Frames, cutoffs: Cutoffs, as_of: date, serving: Row | None, shelf: Shelf
) -> Evaluation | None:
    """The champion that serves, judged at the same cut-offs."""
    if serving is None:
        return None
    model = load_model(home, output, serving)
    stored = (model, serving["trained_as_of"])
    return evaluate(home, output, type(model), frames, cutoffs, as_of, stored, shelf)


def _fitted(
    home: Home, output: Output, frames: Frames, cutoffs: Cutoffs, as_of: date, decision: Decision, shelf: Shelf
) -> Fitted:
    """The model that the gate spoke of, fitted on all that is known at as_of, and stored."""
    kind = next(kind for kind in output.contestants() if kind.name == decision.challenger)
    with metered() as meter:
        model = fit(home, output, kind, frames, cutoffs, as_of, shelf)
        usage = meter.usage()
    last = cutoffs.all[-1] if cutoffs.all else as_of
    judged = output.judging(frames, last, as_of)[0]
    shown = {name: judged[name].head(SHOWN) for name in output.features}
    return Fitted(model, store_model(home, output.name, model, as_of), shown, usage)


def _record(home: Home, evidence: Evidence, evaluations: list[Evaluation]) -> None:
    """The decision, its figures and every contestant's, in the records."""
    output, as_of, at = evidence.output, evidence.as_of, {"decided_at": clock()}
    for table, rows in ((decisions, [row_of(home, evidence)]), (promotions, rows_of(evidence))):
        same = sa.and_(table.c.output == output.name, table.c.as_of == as_of)
        home.records.replace(table, [row | at for row in rows], same)
    own = {evidence.version["model"]: evidence.version["model_version"]}
    figures = [
        row
        | {"model": evaluation.model, "model_version": own.get(evaluation.model, evaluation.model), "as_of": as_of}
        | {"labels_mature_until": as_of, "kind": "offline"}
        for evaluation in evaluations
        for row in figures_of(home, output, evaluation)
    ]
    measured = model_performance.c
    same = sa.and_(measured.output == output.name, measured.as_of == as_of, measured.kind == "offline")
    home.records.replace(model_performance, figures, same)
