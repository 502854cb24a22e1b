"""Tracking: every contestant is a run in MLflow, comparable with those before it; aliases mirror the decisions."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from models.bootstrap import Estimate
from models.protocol import Features, Model
from pipelines.costs import cost_metrics
from pipelines.home import PROJECT, Home, code_digest
from pipelines.metering import Usage
from pipelines.records import ALL, Row
from pipelines.scoring.outputs import Output, by_segment
from pipelines.storage import digest_of
from pipelines.training.aliases import mark, mirror, registered
from pipelines.training.evaluate import Evaluation
from pipelines.training.evidence import Evidence, log_evidence
from pipelines.training.gate import Decision
from pipelines.training.plots import log_calibration

if TYPE_CHECKING:
    from mlflow.models import ModelSignature


@dataclass(frozen=True)
class Fitted:
    """A model fitted and stored, with the features that show what it takes."""

    model: Model
    version: Row
    features: Features
    usage: Usage

    def signature(self) -> ModelSignature:
        """What the model takes and gives."""
        from pipelines.training.flavor import signature_of

        return signature_of(self.features, self.model.predict(self.features))


LIBRARIES = ("xgboost", "torch", "numpy", "pandas", "scikit-learn", "dbt-core", "duckdb", "mlflow")


def revision() -> str:
    """The git commit of the code, or the digest of its files where there is no repository."""
    found = subprocess.run(
        ["git", "-C", str(PROJECT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() if found.returncode == 0 else code_digest()


@contextmanager
def tracking(home: Home, output: str) -> Iterator[str]:
    """MLflow set up for the home; gives the id of the output's experiment."""
    os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
    import mlflow

    mlflow.set_tracking_uri(home.places.mlflow)
    name = f"nightcart/{output}"
    experiment = mlflow.get_experiment_by_name(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield experiment.experiment_id if experiment else _create_experiment(home, name)


def _create_experiment(home: Home, name: str) -> str:
    import mlflow

    local = home.places.mlflow.startswith("sqlite")
    artifacts = (home.root / "mlartifacts" / name.replace("/", "-")).as_uri() if local else None
    return str(mlflow.create_experiment(name, artifact_location=artifacts))


def track(
    home: Home,
    output: Output,
    as_of: date,
    snapshot: str,
    evaluations: list[Evaluation],
    fitted: Fitted,
    evidence: Evidence,
    spent: Usage,
) -> None:
    """One run a contestant; the model that was fitted is logged with its signature and registered, aliases follow.

    spent: by the whole training, of which that model's run has the cost.
    """
    import mlflow

    decision = evidence.decision
    with tracking(home, output.name) as experiment:
        for evaluation in _with_model(evaluations, fitted.model.name):
            with mlflow.start_run(experiment_id=experiment, run_name=f"{evaluation.model}-{as_of}-{revision()[:7]}"):
                _log_data(home, as_of, snapshot, output)
                mlflow.set_tags(_tags(home, as_of, snapshot, fitted.version, decision))
                mlflow.log_params(_arguments(home, output, evaluation, as_of))
                mlflow.log_metrics(_metrics(home, output, evaluation, decision))
                if evaluation.model == fitted.model.name:
                    mlflow.log_params(_learnt(home, output, fitted))
                    mlflow.log_metrics(cost_metrics(home, "fit", fitted.usage))
                    mlflow.log_metrics(cost_metrics(home, "training", spent))
                    for epoch in getattr(fitted.model, "curve", ()):
                        log_epoch(epoch)
                    _log_model(output, fitted)
                    log_evidence(home, evidence)
                    log_calibration(fitted.model)
        mirror(home, output.name)


def _arguments(home: Home, output: Output, evaluation: Evaluation, as_of: date) -> dict[str, Any]:
    """The contestant, and what it was built with."""
    named = {"model": evaluation.model, "as_of": as_of}
    return named | next(
        output.arguments(home, kind, as_of) for kind in output.contestants() if kind.name == evaluation.model
    )


def log_epoch(epoch: Mapping[str, float]) -> None:
    """One epoch of a learning curve (its figures, tokens a second, peak memory) as a step of the run in progress."""
    import mlflow

    figures = {f"training/{name}": value for name, value in epoch.items() if name != "epoch"}
    mlflow.log_metrics(figures, step=int(epoch["epoch"]))


def _with_model(evaluations: list[Evaluation], model: str) -> list[Evaluation]:
    """The evaluations, and an empty one for a model that too little data kept from being judged."""
    known = {evaluation.model for evaluation in evaluations}
    return evaluations if model in known else [*evaluations, Evaluation(model)]


def _log_data(home: Home, as_of: date, snapshot: str, output: Output) -> None:
    import mlflow
    from mlflow.data.dataset_source_registry import resolve_dataset_source
    from mlflow.data.meta_dataset import MetaDataset

    source = resolve_dataset_source(f"{home.places.storage}/snapshots/{snapshot}.json")
    name = f"snapshot-{as_of}-{output.name}"
    data = MetaDataset(source, name=name, digest=snapshot[:32])  # type: ignore[abstract]  # its profile is optional
    mlflow.log_input(data, context="training")


def _tags(home: Home, as_of: date, snapshot: str, version: Row, decision: Decision) -> dict[str, Any]:
    libraries = {f"version.{name}": installed(name) for name in LIBRARIES}
    return libraries | {
        "git_sha": revision(),
        "code_digest": code_digest(),
        "snapshot": snapshot,
        "settings_digest": digest_of(home.settings.in_digest()),
        "python": platform.python_version(),
        "device": home.device,
        "decision": decision.reason,
        "model_version": version["model_version"],
        "as_of": as_of.isoformat(),
    }


def _metrics(home: Home, output: Output, evaluation: Evaluation, decision: Decision) -> dict[str, float]:
    """Figures pooled and per cut-off as `<split>/<metric>`, the output's own first, with what they cost."""
    from models.metrics import value

    found: dict[str, float] = {}
    for metric in evaluation.metrics:
        for segment in (ALL, *(evaluation.segments(metric) if metric in by_segment(output) else ())):
            name = f"{_split(segment)}/{output.label(home, metric)}"
            found |= _with_interval(name, evaluation.figure(metric, home, segment))
    for cutoff, measures in evaluation.measures.items():
        found |= {f"cutoff_{cutoff}/{output.label(home, metric)}": value(measures[metric]) for metric in measures}
    for comparison in (one for one in decision.comparisons if one.challenger == evaluation.model):
        split = "gain" if comparison.segment == ALL else f"gain_{_split(comparison.segment)}"
        metric = "" if comparison.metric == output.metric else f"{comparison.metric}_"
        found |= _with_interval(f"{split}/{metric}over_{comparison.opponent}", comparison.gain)
    return found | cost_metrics(home, "evaluation", evaluation.usage)


def _with_interval(name: str, estimate: Estimate) -> dict[str, float]:
    return {f"{name}{end}": value for end, value in zip(("", "_low", "_high"), estimate, strict=True)}


def _split(segment: str) -> str:
    """A segment in the name of a metric, where MLflow allows no = nor most signs."""
    return re.sub(r"[^\w -]", "_", segment, flags=re.ASCII)


def _learnt(home: Home, output: Output, fitted: Fitted) -> dict[str, Any]:
    """What the stored model says of itself, such as its recipe or a half-life that it chose."""
    key = f"models/{output.name}/{fitted.version['model_version']}/settings.json"
    stored = home.storage.read_json(key) if home.storage.exists(key) else {}
    flat = stored | (stored.get("recipe") or {})
    return {f"model/{name}": value for name, value in flat.items() if isinstance(value, int | float | str)}


def _log_model(output: Output, fitted: Fitted) -> None:
    """Register the model under its version."""
    from mlflow.models import Model as MLmodel

    from pipelines.training import flavor

    info = MLmodel.log(
        artifact_path=None,
        name="model",
        flavor=flavor,
        model=fitted.model,
        signature=fitted.signature(),
        version=fitted.version["model_version"],
        registered_model_name=registered(output.name),
    )
    mark(output.name, info.registered_model_version, fitted.version["model_version"], fitted.version["trained_as_of"])
