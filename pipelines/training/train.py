"""Train: build features at past cut-offs, evaluate every contestant, gate, and crown a champion."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from models.shelf import Shelf
from pipelines.contract import OUTPUTS
from pipelines.costs import record_training
from pipelines.features.build import build_training_features
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.metering import Meter, metered
from pipelines.publishing.release import skipped_of
from pipelines.records import ALL, Row, clock, model_performance, promotions
from pipelines.scoring.frames import Frames
from pipelines.scoring.outputs import Output, output_of
from pipelines.training.champions import champion_of, crown, load_model, store_model
from pipelines.training.cutoffs import Cutoffs, plan
from pipelines.training.evaluate import Evaluation, evaluate, figures_of, fit, stated
from pipelines.training.gate import Decision, decide
from pipelines.training.study import study
from pipelines.training.tracking import Fitted, track

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

    Where even the baseline has too little to learn from there is none, and `untrained` says why.
    """
    with metered() as meter:
        return _train_output(home, name, as_of, snapshot, decided_by, meter)


def _train_output(home: Home, name: str, as_of: date, snapshot: str, decided_by: str, meter: Meter) -> Row:
    output, cutoffs = output_of(name), plan(home, as_of)[name]
    stored = Snapshot(home.storage, snapshot)
    frames = {table: stored.frame(table) for table in (*output.features.values(), output.targets)}
    serving = champion_of(home, name, as_of + timedelta(days=1))
    trials = home.settings.recommendations.study_trials if name == "recommendations" else 0
    if trials and cutoffs.evaluation:
        study(home, output, frames, cutoffs, trials)
    shelf = Shelf()
    evaluations, skipped = _evaluations(home, output, frames, cutoffs, as_of, shelf)
    champion = _champion(home, output, frames, cutoffs, as_of, serving, shelf) if evaluations else None
    baseline = output.contestants()[0].name
    if not evaluations:
        decision = Decision(baseline, serving is None, f"the baseline serves: {skipped or 'too little history'}")
    else:
        decision = decide(home, output, evaluations, champion, baseline)
    try:
        fitted = _fitted(home, output, frames, cutoffs, as_of, decision, shelf)
    except ValueError as error:
        return {"output": name, "untrained": str(error), "snapshot": snapshot}
    version = fitted.version
    if decision.is_promoted:
        crown(home, name, version, as_of + timedelta(days=bool(serving)), decided_by, decision.reason)
    _record(home, output, as_of, evaluations, version, decision)
    spent = {f"evaluate {evaluation.model}": evaluation.usage for evaluation in evaluations}
    spent |= {f"fit {fitted.model.name}": fitted.usage, ALL: meter.usage()}
    record_training(home, name, as_of, spent)
    track(home, output, as_of, snapshot, evaluations, fitted, decision, spent[ALL])
    figures = {e.model: stated(e.figure(output.metric, home), "value") for e in evaluations}
    return {
        "output": name,
        "untrained": None,
        "model_version": version["model_version"],
        "is_promoted": decision.is_promoted,
        "reason": decision.reason,
        "metric": output.metric,
        "figures": figures,
        "snapshot": snapshot,
    }


def _evaluations(
    home: Home, output: Output, frames: Frames, cutoffs: Cutoffs, as_of: date, shelf: Shelf
) -> tuple[list[Evaluation], str]:
    """Every contestant that there is enough data for, and why the others are missing."""
    if not cutoffs.evaluation:
        return [], "too little history before the night to judge a model on"
    found, missing = [], []
    for kind in output.contestants():
        try:
            found.append(evaluate(home, output, kind, frames, cutoffs, as_of, shelf=shelf))
        except ValueError as error:
            missing.append(f"{kind.name}: {error}")
    has_baseline = any(evaluation.model == output.contestants()[0].name for evaluation in found)
    return (found if has_baseline else []), "; ".join(missing)


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


def _record(
    home: Home, output: Output, as_of: date, evaluations: list[Evaluation], version: Row, decision: Decision
) -> None:
    """The gate's figures and every contestant's, in the records."""
    shared = {"output": output.name, "as_of": as_of}
    compared = [
        shared
        | {
            "challenger": comparison.challenger,
            "against": comparison.opponent,
            "role": comparison.role,
            "segment": comparison.segment,
            "metric": comparison.metric,
            **stated(comparison.gain, "gain"),
            "is_promoted": decision.is_promoted and comparison.challenger == decision.challenger,
            "reason": decision.reason,
            "decided_at": clock(),
        }
        for comparison in decision.comparisons
    ]
    table = promotions.c
    home.records.replace(promotions, compared, sa.and_(table.output == output.name, table.as_of == as_of))
    own = {version["model"]: version["model_version"]}
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
