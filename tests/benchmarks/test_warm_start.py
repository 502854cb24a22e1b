"""The warm start beside a start from scratch, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import warm_start
from tests.benchmarks.test_recommendations import SMALL, file

__all__ = ["file"]  # the fixture


def test_all_starts_are_judged_on_the_same_window(file: Path, tmp_path: Path) -> None:
    columns = ["--user", "who", "--item", "what", "--order", "at", "--where", "good"]
    shape = ["--sizes", json.dumps(SMALL["sizes"]), "--recipe", json.dumps(SMALL["recipe"] | {"patience": 9})]
    asked = ["--cut", "2020-06-01", "--epochs", "3", "--warm", "1", "2", "--out", str(tmp_path / "result.json")]
    result = warm_start.main(["--interactions", str(file), *columns, *shape, *asked])
    assert json.loads((tmp_path / "result.json").read_text()) == json.loads(json.dumps(result, default=str))
    assert {name: one["epochs"] for name, one in result["starts"].items()} == {
        "from scratch": 3,
        "warm, 1 epochs": 1,
        "warm, 2 epochs": 2,
    }
    for one in result["starts"].values():
        low, high = one["ndcg_at_10"][1:]
        assert 0 <= low <= one["ndcg_at_10"][0] <= high
        assert one["cpu_seconds"] >= 0  # too few to count, on a fast machine
