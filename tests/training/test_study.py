"""A study: trials below one run, gone on with after a kill, the best settings in a file."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import mlflow
import pytest

from models.recommendations.sequence_transformer import SequenceTransformer
from pipelines.errors import UsageFault
from pipelines.home import Home
from pipelines.scoring.outputs import output_of
from pipelines.training.cutoffs import Cutoffs
from pipelines.training.study import Space, best_settings, search, study
from pipelines.training.tracking import log_epoch, tracking
from tests.models.generators import AS_OF, sequence_frames

NAME = f"recommendations-{AS_OF}"
TINY = Space(
    {"dim": (8, 16), "blocks": (1,), "length": (4, 8)},
    {"negatives": (4, 8)},
    {"epochs": 4, "batch_tokens": 64, "judged": 20, "warmup": 5},
)
PROJECT = Path(__file__).parents[2]
PROGRAM = """
from pipelines.home import Home
from tests.training.test_study import AS_OF, TINY, search, sequence_frames
search(Home.open(), "recommendations", AS_OF, sequence_frames(), 1_000, TINY)
"""


def runs(home: Home, parent: str) -> list[mlflow.entities.Run]:
    with tracking(home, "recommendations") as experiment:
        return mlflow.MlflowClient().search_runs([experiment], f"tags.mlflow.parentRunId = '{parent}'")


def is_in_its_third_trial(file: Path) -> bool:
    """By the file alone: Optuna itself would make the tables that are being made."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as study:
            return bool(study.execute("select 1 from trial_intermediate_values where trial_id >= 3").fetchall())
    except sqlite3.OperationalError:
        return False


def test_a_study_killed_goes_on_and_the_best_is_written(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    optuna = pytest.importorskip("optuna")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), *filter(None, sys.path)])}
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=PROJECT, env=environment)
    file = home.root / "studies" / NAME / "study.sqlite"

    def trials() -> list[optuna.trial.FrozenTrial]:
        return optuna.load_study(study_name=NAME, storage=f"sqlite:///{file}").trials

    while not is_in_its_third_trial(file):
        assert process.poll() is None, "it ended before it was killed"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    before = trials()
    ended = [trial for trial in before if trial.state.is_finished()]
    search(home, "recommendations", AS_OF, sequence_frames(), len(ended) + 2, TINY)
    capsys.readouterr()
    best = search(home, "recommendations", AS_OF, sequence_frames(), len(ended) + 3, TINY)
    after = [trial for trial in trials() if trial.state.name in ("COMPLETE", "PRUNED")]
    assert [trial.params for trial in after[: len(ended)]] == [trial.params for trial in ended]
    assert len(after) == best["trials"] == len(ended) + 3
    killed = [trial for trial in before if not trial.state.is_finished()]
    assert all(trial.params in [one.params for one in after] for trial in killed), "what was killed is tried again"
    assert best["ndcg_at_10"] == max(trial.value for trial in after if trial.state.name == "COMPLETE")
    assert json.loads((file.with_name("best.json")).read_text("utf-8")) == best
    assert json.loads(capsys.readouterr().out) == best
    children = runs(home, best["mlflow_run"])
    assert {run.info.status for run in children} <= {"FINISHED", "KILLED"}
    finished = sum(run.info.status == "FINISHED" for run in children)
    assert len(after) <= finished <= len(after) + len(killed), "a kill may come between a run's end and its trial's"
    SequenceTransformer(sizes=best["sizes"], recipe=best["recipe"] | TINY.fixed).fit(*sequence_frames())


def test_a_study_says_why_nothing_could_be_trained(home: Home) -> None:
    pytest.importorskip("optuna")
    features, targets = sequence_frames()
    few = features | {"purchases": features["purchases"].iloc[:3]}
    with pytest.raises(ValueError, match="none of 2 trials of the study could be trained: too little data to train"):
        search(home, "recommendations", AS_OF, (few, targets), 2, TINY)


def test_a_study_of_later_is_not_known_earlier(home: Home) -> None:
    for day in ("2024-01-01", "2024-03-01"):
        file = home.root / "studies" / f"recommendations-{day}" / "best.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"sizes": {"dim": int(day[6:7])}, "recipe": {}, "trials": 1}), "utf-8")
    found = [best_settings(home, "recommendations", dt.date(2024, month, 1)) for month in (3, 2, 1)]
    assert [one["sizes"]["dim"] for one in found] == [3, 1, 1]
    assert best_settings(home, "recommendations", dt.date(2023, 12, 31)) == {}


def test_a_study_needs_the_sequence_model(home: Home) -> None:
    with pytest.raises(UsageFault, match="demand has no sequence_transformer"):
        study(home, output_of("demand"), {}, Cutoffs((), (AS_OF,)), 3)


def test_a_learning_curve_is_a_step_an_epoch(home: Home) -> None:
    sizes, recipe = {"dim": 8, "hidden": 8}, {"epochs": 3, "patience": 3, "judged": 10}
    model = SequenceTransformer(sizes=sizes, recipe=recipe).fit(*sequence_frames())
    with tracking(home, "recommendations") as experiment, mlflow.start_run(experiment_id=experiment) as run:
        for epoch in model.curve:
            log_epoch(epoch)
    client = mlflow.MlflowClient()
    for name in ("loss", "ndcg_at_10", "tokens_per_second", "peak_mib"):
        found = client.get_metric_history(run.info.run_id, f"training/{name}")
        assert [(point.step, point.value) for point in found] == [
            (epoch["epoch"], epoch[name]) for epoch in model.curve
        ]
