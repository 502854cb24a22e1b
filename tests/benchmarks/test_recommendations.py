"""The harness: splits that know nothing of what comes, and a run from the command line."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import recommendations
from benchmarks.contestants import MODELS, frames_of
from benchmarks.interactions import Columns, global_split, leave_one_out, new_to_the_user, read_events

SMALL = {
    "sizes": {"dim": 16, "heads": 2, "hidden": 16, "length": 8},
    "recipe": {"epochs": 2, "batch_tokens": 128, "judged": 20},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    random = np.random.default_rng(2)
    at = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.sort(random.integers(0, 200, 900)), unit="D")
    frame = pd.DataFrame({"who": random.integers(0, 40, 900), "what": random.zipf(1.6, 900) % 30, "at": at})
    frame["good"] = random.random(900) < 0.95
    frame.to_parquet(tmp_path / "events.parquet")
    return tmp_path / "events.parquet"


def events(file: Path) -> pd.DataFrame:
    return read_events(file, Columns("who", "what", "at"), "good")


def test_leave_one_out_by_hand(tmp_path: Path) -> None:
    rows = [(1, item, place) for place, item in enumerate([5, 6, 7, 8])] + [(2, 5, 0), (2, 6, 1)]
    pd.DataFrame(rows, columns=["u", "i", "pos"]).to_parquet(tmp_path / "e.parquet")
    validation, test = leave_one_out(read_events(tmp_path / "e.parquet", Columns("u", "i", "pos"), None))
    assert validation.known["product_id"].tolist() == ["5", "6"]
    assert validation.targets.to_numpy().tolist() == [["1", "7"]]
    assert test.known["product_id"].tolist() == ["5", "6", "7"]
    assert test.targets.to_numpy().tolist() == [["1", "8"]], "a user of two events is left out"
    assert test.known["bought_at"].is_monotonic_increasing
    assert test.known["bought_at"].max() < pd.Timestamp(test.as_of)


def test_no_round_knows_its_window(file: Path) -> None:
    rounds = global_split(events(file), dt.date(2020, 6, 1), 28)
    windows = [dt.date(2020, 6, 1) - dt.timedelta(days=28 * back) for back in (6, 5, 4, 3, 2, 1, 0)]
    assert [one.as_of for one in rounds] == [day for day in windows if day > dt.date(2020, 1, 1)]
    for one in rounds:
        assert one.known["bought_at"].max() < pd.Timestamp(one.as_of)
        assert one.targets["customer_id"].isin(one.known["customer_id"]).all()
    fresh = new_to_the_user(rounds[-1])
    had = set(map(tuple, rounds[-1].known[["customer_id", "product_id"]].to_numpy()))
    assert had.isdisjoint(map(tuple, fresh.targets.to_numpy()))
    _, targets = frames_of(rounds)
    ends = pd.to_datetime(targets["as_of"]) + pd.Timedelta(days=28)
    assert (ends <= pd.Timestamp(2020, 6, 1)).all(), "the test's outcomes teach nobody"


@pytest.mark.parametrize("split", [["leave-one-out"], ["global", "--cut", "2020-06-01", "--seen", "kept"]])
def test_a_run_from_the_command_line(split: list[str], file: Path, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    arguments = ["--interactions", str(file), "--user", "who", "--item", "what", "--order", "at", "--where", "good"]
    arguments += [
        "--split",
        *split,
        "--k",
        "5",
        "--resamples",
        "50",
        "--settings",
        json.dumps(SMALL),
        "--out",
        str(out),
    ]
    able = [name for name in MODELS if split[0] == "global" or name != "xgboost_ranker"]  # it needs past cut-offs
    recommendations.main([*arguments, "--model", *able])
    result = json.loads(out.read_text("utf-8"))
    assert set(result["models"]) == set(able)
    assert result["protocol"]["users"] > 20
    for found in result["models"].values():
        value, low, high = found["ndcg_at_5"]
        assert 0 <= low <= value <= high <= 1
        assert found["hit_rate_at_5"][0] >= found["recall_at_5"][0]
    assert [epoch["epoch"] for epoch in result["models"]["sequence_transformer"]["learnt"]["curve"]] == [0, 1]


@pytest.mark.long
def test_two_processes_train_together_and_one_of_them_writes(file: Path, tmp_path: Path) -> None:
    arguments = ["--interactions", str(file), "--user", "who", "--item", "what", "--order", "at"]
    arguments += ["--split", "leave-one-out", "--k", "5", "--resamples", "50", "--settings", json.dumps(SMALL)]
    arguments += ["--model", "popular_recent", "sequence_transformer", "--out"]
    out, project = tmp_path / "result.json", Path(__file__).parents[2]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    subprocess.run(
        [*launch, "benchmarks.recommendations", *arguments, str(out)],
        check=True,
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"},
    )
    found = json.loads(out.read_text("utf-8"))["models"]
    assert set(found) == {"popular_recent", "sequence_transformer"}
    assert [epoch["epoch"] for epoch in found["sequence_transformer"]["learnt"]["curve"]] == [0, 1]


def test_what_is_missing_is_named(file: Path) -> None:
    with pytest.raises(ValueError, match=r"found no column \['nobody'\], it has \['at', 'good', 'what', 'who'\]"):
        read_events(file, Columns("nobody", "what", "at"), None)
    with pytest.raises(ValueError, match="found nobody with a purchase before 2019-01-01"):
        global_split(events(file), dt.date(2019, 1, 1), 28)
