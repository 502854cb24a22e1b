"""The benchmark of scoring with reasons runs and says what it took."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.risk_scoring import main


def test_a_small_run_is_written(tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    found = main(["--payments", "4000", "--sample", "200", "--threads", "1", "--out", str(out)])
    assert json.loads(out.read_text("utf-8")) == found
    assert (found["features"], found["sizes"]["payments"]) == (61, 4000)
    assert set(found["seconds"]) == {"predict", "score", "tree_shap"}
    assert 0 < found["reasons_a_payment"] <= 3
