"""The benchmarks of replies run and write what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from benchmarks import replies, reply_checker


def test_retrieved_answers_are_judged(tmp_path: Path) -> None:
    rows = [
        {
            "instruction": f"{ask} order {500_000 + at} {at % 7} please",
            "intent": ask,
            "response": f"{said} {500_000 + at}.",
        }
        for at in range(120)
        for ask, said in (("cancel", "Open the order"), ("track", "Look up order"))
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "rows.parquet")
    out = tmp_path / "result.json"
    found = replies.main(["--responses", str(tmp_path / "rows.parquet"), "--out", str(out)])
    assert json.loads(out.read_text("utf-8")) == found
    assert (found["test"]["right_intent"], found["test"]["all_slots_right"]) == (1.0, 1.0)
    assert found["test"]["with_an_order_number"] == found["test"]["tickets"]


def test_the_checker_is_judged(tmp_path: Path) -> None:
    found = reply_checker.main(["--count", "48", "--out", str(tmp_path / "result.json")])
    assert (found["wrong"]["published"], found["right"]["published"]) == (0, 48)
