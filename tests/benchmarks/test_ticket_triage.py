"""The benchmark of a night's triage runs, and its store is what it says."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import ticket_triage


def test_a_small_store_is_built_and_scored(tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    sizes = ["--tickets", "2000", "--open", "60", "--days", "200", "--products", "50", "--threads", "1"]
    found = ticket_triage.main([*sizes, "--folder", str(tmp_path), "--out", str(out)])
    assert json.loads(out.read_text("utf-8")) == found
    rows = found["rows"]
    assert rows["ticket_triage"] == rows["features_tickets"]
    assert 40 <= rows["features_tickets"] <= 80
    assert rows["replies_suggested"] > 0
    assert rows["ticket_trends"] > 0
    assert {"int_tickets", "features_ticket_facts"} <= set(found["night"]["models"])
