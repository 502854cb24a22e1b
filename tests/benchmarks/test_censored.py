"""The benchmark of hidden demand: what was wanted is known, and the correction comes nearer to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import censored
from benchmarks.censored_store import CLOSED, EITHER, OPENED, read_store

FIRST, DAYS, PRODUCTS = np.datetime64("2024-01-01"), 280, 12


def write_store(landing: Path) -> None:
    """Products that sell two a day, the first half of which are gone for six weeks before and after the cut-off."""
    day, which = np.meshgrid(np.arange(DAYS), np.arange(PRODUCTS))
    frame = pd.DataFrame({"day": FIRST + day.ravel(), "product_id": [f"p{one:02}" for one in which.ravel()]})
    is_out = (which.ravel() < PRODUCTS // 2) & (day.ravel() >= DAYS - 77) & (day.ravel() < DAYS - 35)
    sold = frame[~is_out].reset_index(drop=True)
    _write(landing / "orders", {"order_id": sold.index.astype(str), "ordered_at": sold["day"]})
    lines = {"order_id": sold.index.astype(str), "product_id": sold["product_id"], "quantity": 2}
    _write(landing / "order_lines", lines)
    closes_empty = is_out | np.append(is_out[1:], False)
    levels = {"product_id": frame["product_id"], "as_of_date": frame["day"], "on_hand": np.where(closes_empty, 0, 5)}
    _write(landing / "stock_levels", levels)
    _write(landing / "products", {"product_id": frame["product_id"].unique(), "category": "all"})
    lost = {"product_id": frame["product_id"][is_out], "day": frame["day"][is_out], "units_wanted": 2, "units_sold": 0}
    truth = landing.with_name(landing.name + ".truth")
    truth.mkdir()
    pd.DataFrame(lost).to_parquet(truth / "stock_outs.parquet")


def _write(folder: Path, columns: dict[str, object]) -> None:
    (folder / "dt=2024-01-01").mkdir(parents=True)
    pd.DataFrame(columns).to_parquet(folder / "dt=2024-01-01" / "part-0.parquet")


def test_days_out_of_stock_by_rule(tmp_path: Path) -> None:
    write_store(tmp_path / "landing")
    store = read_store(tmp_path / "landing")
    assert (store.wanted == 2).all()
    days = {rule: int(store.out_of_stock(rule).sum()) for rule in (OPENED, CLOSED, EITHER)}
    assert days == {OPENED: 252, CLOSED: 258, EITHER: 258}


def test_the_command_writes_how_much_nearer_the_correction_comes(tmp_path: Path) -> None:
    write_store(tmp_path / "landing")
    command = f"--landing {tmp_path}/landing --models recent_mean --folds 1 --horizon 5 --out {tmp_path}/result.json"
    found = censored.main(command.split())["models"]["recent_mean"]["long_out"]
    assert found["products"] == PRODUCTS // 2
    assert found["units_mean/bias"]["as_sold"][0] < -0.7
    assert abs(found["units_mean/bias"]["corrected"][0]) < 0.02
    assert (tmp_path / "result.json").is_file()
