"""The benchmark of the lift, on a few customers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.lift import customers_of, main


def orders(folder: Path) -> Path:
    """Customer 1 buys before and twice within the days, 2 only before, 3 only within, 4 after."""
    rows = [(1, "a", 1), (1, "b", 12), (1, "c", 20), (2, "d", 2), (3, "e", 15), (4, "f", 60), (4, "g", 3)]
    frame = pd.DataFrame(rows, columns=["customer_id", "order_id", "day"])
    frame["ordered_at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame.pop("day"), "D")
    file = folder / "orders.parquet"
    frame.assign(quantity=2, unit_price=1.5).to_parquet(file)
    return file


def test_customers_are_those_who_had_bought_before(tmp_path: Path) -> None:
    people, baskets = customers_of(orders(tmp_path), pd.Timestamp("2024-01-11").date())
    assert people["orders"].sort_index().to_dict() == {1: 2.0, 2: 0.0, 4: 0.0}
    assert people["money"].sum() == 6.0
    assert baskets.tolist() == [3.0, 3.0]


def test_it_measures_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ["--orders", str(orders(tmp_path)), "--first", "2024-01-11", "--customers", "300", "--lifts", "0.5"]
    asked += ["--draws", "4", "--share", "0.3", "--out", str(tmp_path / "result.json")]
    monkeypatch.setattr(sys, "argv", ["lift", *asked])
    main()
    found = json.loads((tmp_path / "result.json").read_text())
    assert found["customers"] == 3
    assert found["needed"]["orders"] > 100
    (one,) = found["measured"]
    assert 0.0 <= one["orders"]["coverage"] <= 1.0
