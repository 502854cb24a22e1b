"""Study: sizes and recipe of the sequence model by Optuna; every trial a run in MLflow below the study's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import UsageFault
from pipelines.home import Home
from pipelines.records import Row
from pipelines.scoring.frames import Frames, Learning
from pipelines.scoring.outputs import Output
from pipelines.training.cutoffs import Cutoffs
from pipelines.training.tracking import log_epoch, revision, tracking

if TYPE_CHECKING:
    from optuna import Study, Trial

SIZES: Mapping[str, tuple[int, ...]] = {"dim": (64, 128), "blocks": (1, 2, 3), "length": (50, 100, 200)}
COUNTS: Mapping[str, tuple[int, ...]] = {"negatives": (256, 512, 1_024)}
DROPOUT, LEARNING_RATE = (0.1, 0.5), (3e-4, 3e-3)
JUDGED_BY = "ndcg_at_10"
FREE_TRIALS = 5
"""Trials that are not pruned, for the median of the others to mean something."""
STUDY, WHY = "study", "why_not_trained"
"""Tags: of the study's run in MLflow, and of a trial that too little time or data was there for."""


@dataclass(frozen=True)
class Space:
    """What is tried: choices of sizes and of the recipe's counts; dropout and learning rate have their ranges."""

    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: SIZES)
    counts: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: COUNTS)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Of the recipe, the same in all trials."""


def study(home: Home, output: Output, frames: Frames, cutoffs: Cutoffs, trials: int) -> Row:
    """The best settings found on what was known at the earliest cut-off that judges, so that none of it is judged by.

    trials: in all calls together.

    Raises:
        UsageFault: the sequence model is no contestant of the output.
    """
    from models.recommendations.sequence_transformer import SequenceTransformer

    if SequenceTransformer not in output.contestants():
        raise UsageFault(f"{output.name} has no {SequenceTransformer.name}", "a study is of the sequence model")
    first = cutoffs.evaluation[0]
    return search(home, output.name, first, output.learning(frames, cutoffs, first), trials)


def best_settings(home: Home, output: str, as_of: date) -> Row:
    """Sizes and recipe of the output's newest study of what was known at as_of; empty where there is none."""
    files = (home.root / "studies").glob(f"{output}-????-??-??/best.json")
    found = sorted(file for file in files if file.parent.name <= f"{output}-{as_of}")
    best = json.loads(found[-1].read_text("utf-8")) if found else {}
    return {name: best[name] for name in ("sizes", "recipe") if name in best}


def search(home: Home, output: str, as_of: date, learning: Learning, trials: int, space: Space | None = None) -> Row:
    """`study` on these frames: goes on where a call before was killed; best.json lies beside the study.

    Raises:
        ValueError: too little data, or no trial that could be trained.
    """
    import mlflow

    folder = home.root / "studies" / f"{output}-{as_of}"
    folder.mkdir(parents=True, exist_ok=True)
    found = _opened(home, folder)
    left = trials - _forget_killed(found)
    with tracking(home, output) as experiment, _parent(experiment, found.study_name) as parent:
        if left > 0:
            found.optimize(_objective(home, experiment, as_of, learning, space or Space()), n_trials=left)
        best = _best(found)
        mlflow.set_tags({f"best.{name}": value for name, value in (best["sizes"] | best["recipe"]).items()})
        mlflow.log_metric(f"best/{JUDGED_BY}", best[JUDGED_BY])
        best["mlflow_run"] = parent
    text = json.dumps(best, indent=2, sort_keys=True)
    (folder / "best.json").write_text(text + "\n", "utf-8")
    print(text)  # noqa: T201
    return best


def _opened(home: Home, folder: Path) -> Study:
    """The study in its own SQLite file; the sampler's seed moves on with the trials that there are."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / 'study.sqlite'}")
    found = optuna.create_study(storage=storage, study_name=folder.name, direction="maximize", load_if_exists=True)
    found.sampler = optuna.samplers.TPESampler(seed=home.settings.compute.seed + len(found.trials))
    found.pruner = optuna.pruners.MedianPruner(n_startup_trials=FREE_TRIALS, n_warmup_steps=1)
    return found


def _forget_killed(found: Study) -> int:
    """How many trials have ended; one that a kill left running is given up, and what it tried is tried again."""
    from optuna.trial import TrialState

    for trial in found.get_trials(states=(TrialState.RUNNING,)):
        found.tell(trial.number, state=TrialState.FAIL)
        if trial.params:
            found.enqueue_trial(trial.params)
    return len(found.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED)))


@contextmanager
def _parent(experiment: str, name: str) -> Iterator[str]:
    """The study's run, the same in all calls; runs below it that a kill left open are closed."""
    import mlflow

    client = mlflow.MlflowClient()
    known = client.search_runs([experiment], f"tags.{STUDY} = '{name}'")
    for run in known:
        for child in client.search_runs([experiment], f"tags.mlflow.parentRunId = '{run.info.run_id}'"):
            if child.info.status == "RUNNING":
                client.set_terminated(child.info.run_id, "KILLED")
    again = known[0].info.run_id if known else None
    with mlflow.start_run(again, experiment_id=experiment, run_name=f"study-{name}", tags={STUDY: name}) as run:
        yield str(run.info.run_id)


def _objective(home: Home, experiment: str, as_of: date, learning: Learning, space: Space) -> Callable[[Trial], float]:
    """The best epoch's NDCG of one trial, as a run below the study's."""
    import mlflow
    from optuna import TrialPruned

    from models.recommendations.sequence_transformer import SequenceTransformer

    def objective(trial: Trial) -> float:
        sizes, recipe = _suggested(trial, space)
        name = f"{SequenceTransformer.name}-{as_of}-{revision()[:7]}-{trial.number}"

        def tell(epoch: dict[str, float]) -> bool:
            log_epoch(epoch)
            trial.report(epoch[JUDGED_BY], int(epoch["epoch"]))
            return bool(trial.should_prune())

        model = SequenceTransformer(
            seed=home.settings.compute.seed, threads=home.threads, device=home.device, sizes=sizes, recipe=recipe,
            minutes=home.settings.recommendations.train_minutes,
        )  # fmt: skip
        model.on_epoch = tell
        with mlflow.start_run(experiment_id=experiment, run_name=name, nested=True):
            mlflow.log_params(sizes | recipe)
            try:
                model.fit(*learning)
            except ValueError as error:
                trial.set_user_attr(WHY, str(error))
            is_over = WHY in trial.user_attrs or trial.should_prune()
            mlflow.set_tags({"is_pruned": str(is_over).lower()} | trial.user_attrs)
        if is_over:
            raise TrialPruned(trial.user_attrs.get(WHY, ""))
        return max(epoch[JUDGED_BY] for epoch in model.curve)

    return objective


def _suggested(trial: Trial, space: Space) -> tuple[dict[str, int], dict[str, Any]]:
    """Sizes and recipe of a trial."""
    sizes = {name: trial.suggest_categorical(name, choices) for name, choices in space.sizes.items()}
    counts = {name: trial.suggest_categorical(name, choices) for name, choices in space.counts.items()}
    rates = {
        "dropout": trial.suggest_float("dropout", *DROPOUT),
        "learning_rate": trial.suggest_float("learning_rate", *LEARNING_RATE, log=True),
    }
    return _sized(sizes), counts | rates | dict(space.fixed)


def _sized(sizes: Mapping[str, int]) -> dict[str, int]:
    """All sizes: the units within a block are twice its width."""
    return {**sizes, "hidden": 2 * sizes["dim"]}


def _best(found: Study) -> Row:
    """The best trial's settings, as the sequence model takes them, and how many trials there were."""
    from optuna.trial import TrialState

    ended = found.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
    if all(trial.state == TrialState.PRUNED for trial in ended):
        why = {trial.user_attrs[WHY] for trial in ended if WHY in trial.user_attrs}
        raise ValueError(f"none of {len(ended)} trials of the study could be trained: {'; '.join(sorted(why))}")
    best = found.best_trial
    sizes = {name: value for name, value in best.params.items() if name in SIZES}
    recipe = {name: value for name, value in best.params.items() if name not in SIZES}
    return {
        "study": found.study_name,
        "trials": len(ended),
        "pruned": sum(trial.state == TrialState.PRUNED for trial in ended),
        JUDGED_BY: best.value,
        "sizes": _sized(sizes),
        "recipe": recipe,
    }
