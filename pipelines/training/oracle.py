"""The oracle judged like a contestant: the planted probabilities, on the windows that the champions were judged on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from models.bootstrap import Estimate, interval
from models.metrics import DENOMINATOR, NUMERATOR, over_all
from models.protocol import Features
from pipelines.errors import UsageFault
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.records import ALL, Row, champions, model_performance
from pipelines.scoring.outputs import Measures, Output, output_of
from pipelines.training.cutoffs import plan
from pipelines.training.preferences import oracle_lists
from pipelines.training.tracking import tracking

ORACLE = "oracle"


@dataclass(frozen=True)
class Judged:
    """One metric, higher is better, on the windows of the training as of a date: of contestants, the oracle last."""

    output: str
    metric: str
    trained_as_of: date
    figures: dict[str, Estimate]

    def share(self, model: str) -> float:
        """A model's figure by the oracle's; NaN where the oracle has none."""
        best = self.figures[ORACLE].value
        return self.figures[model].value / best if best > 0 else float("nan")


def judge_oracle(home: Home) -> list[Judged]:
    """Each simulated output's oracle, measured by the output's own functions; also a run in MLflow.

    Recommendations by all their figures, the others by what the gate decides on.

    Raises:
        UsageFault: no truth lies beside the landing zone, or no champion has been trained.
    """
    folder = Path(f"{home.landing}.truth")
    if not (folder / "payments.parquet").exists():
        raise UsageFault(f"no truth lies in {folder}", "only a store that was simulated has one")
    found: list[Judged] = []
    for name, measure in MEASURES.items():
        is_planted = (folder / f"{TRUTHS[name]}.parquet").exists()  # real orders have no known preferences
        if is_planted and (champion := _first_champion(home, name)) is not None:
            found += (judged := _judged(home, output_of(name), champion, folder, measure))
            _track(home, judged)
    if not found:
        raise UsageFault("neither risk nor support has a champion yet", "run a night first: `nightcart night`")
    return found


def _first_champion(home: Home, output: str) -> Row | None:
    query = sa.select(champions).where(champions.c.output == output).order_by(champions.c.id)
    return home.records.first(query)


def _judged(home: Home, output: Output, champion: Row, folder: Path, measure: Measure) -> list[Judged]:
    trained, snapshot = champion["trained_as_of"], Snapshot(home.storage, _snapshot(home, champion))
    frames = {table: snapshot.frame(table) for table in (*output.features.values(), output.targets)}
    measured = []
    for cutoff in plan(home, trained)[output.name].evaluation:
        features, outcomes = output.judging(frames, cutoff, trained)
        measured.append(measure(home, output, features, outcomes, folder))
    found = []
    for metric in measured[0]:
        pooled = over_all(pd.concat([window[metric] for window in measured])).groupby(level=0, sort=True).sum()
        figure = interval(pooled, confidence=home.settings.gate.confidence, seed=home.settings.compute.seed)
        figures = _contestants(home, output, metric, trained) | {ORACLE: figure}
        found.append(Judged(output.name, output.label(home, metric), trained, figures))
    return found


def _contestants(home: Home, output: Output, metric: str, trained: date) -> dict[str, Estimate]:
    table = model_performance.c
    same = sa.and_(table.output == output.name, table.metric == metric, table.as_of == trained, table.segment == ALL)
    rows = home.records.rows(sa.select(model_performance).where(same, table.value.is_not(None)).order_by(table.value))
    return {row["model"]: Estimate(row["value"], row["ci_low"], row["ci_high"]) for row in rows}


def _snapshot(home: Home, champion: Row) -> str:
    """The snapshot that a champion was trained on, by its run in MLflow: a retry of the night's step forgets it."""
    import mlflow

    version = champion["model_version"]
    with tracking(home, champion["output"]) as experiment:
        query = f"tags.model_version = '{version}'"
        runs = mlflow.search_runs([experiment], query, max_results=1, output_format="list")
    if not runs:
        raise UsageFault(f"MLflow has no run of {version}", "train it again: `nightcart train` names the output")
    return str(runs[0].data.tags["snapshot"])


def _recommendations(home: Home, output: Output, features: Features, outcomes: pd.DataFrame, folder: Path) -> Measures:
    settings = home.settings.recommendations
    lists = oracle_lists(features, folder, settings.top_k, settings.exclude_bought)
    return output.measure(home, lists, features, outcomes)


def _risk(home: Home, output: Output, features: Features, outcomes: pd.DataFrame, folder: Path) -> Measures:
    truth = pd.read_parquet(folder / "payments.parquet")
    known = features["payments"][["payment_id"]].merge(truth[["payment_id", "fraud_probability"]], on="payment_id")
    return {output.metric: output.measure(home, known, features, outcomes)[output.metric]}


def _support(home: Home, output: Output, features: Features, outcomes: pd.DataFrame, folder: Path) -> Measures:
    """The share of the likeliest intent: what anyone could expect who knew all that a ticket was written from."""
    truth = pd.read_parquet(folder / "tickets.parquet")
    resolved = outcomes.loc[outcomes["is_known"].astype(bool), "ticket_id"]
    rows = features["tickets"][["ticket_id"]].merge(truth[["ticket_id", "intent_probability"]], on="ticket_id")
    rows = rows[rows["ticket_id"].isin(resolved)].set_index("ticket_id")
    return {output.metric: rows.rename(columns={"intent_probability": NUMERATOR}).assign(**{DENOMINATOR: 1.0})}


Measure = Callable[[Home, Output, Features, pd.DataFrame, Path], Measures]
MEASURES: dict[str, Measure] = {"recommendations": _recommendations, "risk": _risk, "support": _support}
TRUTHS = {"recommendations": "customer_preferences", "risk": "payments", "support": "tickets"}


def _track(home: Home, judged: list[Judged]) -> None:
    """One run for an output."""
    import mlflow

    one = judged[0]
    with (
        tracking(home, one.output) as experiment,
        mlflow.start_run(experiment_id=experiment, run_name=f"{ORACLE}-{one.trained_as_of}"),
    ):
        mlflow.set_tags({"model": ORACLE, "as_of": str(one.trained_as_of)})
        mlflow.log_params({"model": ORACLE, "as_of": one.trained_as_of})
        for one in judged:
            figures = zip(("", "_low", "_high"), one.figures[ORACLE], strict=True)
            mlflow.log_metrics({f"all/{one.metric}{end}": value for end, value in figures})
