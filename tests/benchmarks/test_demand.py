"""The demand harness: any file into periods, origins that know nothing of what comes, a run of the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import demand
from benchmarks.demand_metrics import Fold, measures, scales, scored
from benchmarks.sales import Columns, Sales, origins, read_sales
from benchmarks.sales_lessons import SalesLessons


def sales_of(tmp_path: Path, frame: pd.DataFrame, freq: str = "W", where: str | None = None) -> Sales:
    frame.to_parquet(tmp_path / "sales.parquet")
    return read_sales(tmp_path / "sales.parquet", Columns(["id"], "at", "sold", []), freq, where)


def rows(*given: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(given, columns=["id", "at", "sold"])
    return frame.assign(at=pd.to_datetime(frame["at"]))


def some_sales(series: int = 25, weeks: int = 70, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    units = random.poisson(random.gamma(1.0, 4.0, series)[:, None], (series, weeks))
    at = pd.Timestamp("2020-01-03") + pd.to_timedelta(7 * np.arange(weeks), unit="D")
    names = [f"s{place:02d}" for place in range(series)]
    return pd.DataFrame({"id": np.repeat(names, weeks), "at": np.tile(at, series), "sold": units.ravel()})


def test_weeks_end_on_the_last_day_and_rows_of_a_day_add_up(tmp_path: Path) -> None:
    found = sales_of(tmp_path, rows(("a", "2024-03-01", 2), ("a", "2024-03-01", 3), ("a", "2024-03-14", 1)))
    assert found.values.tolist() == [[5.0, 1.0]]
    assert found.starts.astype(str).tolist() == ["2024-03-01", "2024-03-08", "2024-03-15"]


@pytest.mark.parametrize(
    ("freq", "columns", "first"), [("D", 91, "2024-01-15"), ("M", 4, "2024-01-01"), ("Q", 2, "2024-01-01")]
)
def test_other_frequencies(tmp_path: Path, freq: str, columns: int, first: str) -> None:
    found = sales_of(tmp_path, rows(("a", "2024-01-15", 2), ("a", "2024-04-14", 3)), freq)
    assert found.values.shape == (1, columns)
    assert (str(found.starts[0]), found.values[0, 0], found.values[0, -1]) == (first, 2.0, 3.0)


def test_a_year_without_a_row_is_a_year_without_sales(tmp_path: Path) -> None:
    found = sales_of(tmp_path, rows(("a", "2022-01-07", 2), ("a", "2023-01-06", 4)))
    assert found.values.shape == (1, 53)
    assert (found.values > 0).sum() == 2


def test_a_clock_change_leaves_each_row_on_its_local_day(tmp_path: Path) -> None:
    at = pd.to_datetime(["2024-10-26 23:30", "2024-10-27 00:30", "2024-10-27 23:30"]).tz_localize("Europe/Berlin")
    found = sales_of(tmp_path, pd.DataFrame({"id": "a", "at": at, "sold": [1.0, 2.0, 4.0]}), "D")
    assert found.values.tolist() == [[1.0, 6.0]]


def test_what_came_back_counts_against_what_was_sold_but_is_no_first_sale(tmp_path: Path) -> None:
    found = sales_of(tmp_path, rows(("a", "2024-03-01", -2), ("a", "2024-03-08", 3), ("b", "2024-03-08", -1)))
    assert found.values.tolist() == [[-2.0, 3.0], [0.0, -1.0]]
    assert found.first.tolist() == [1, 2]
    assert found.scope(2, 1).tolist() == [0], "what never sold is not judged"


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (rows(("a", "2024-03-01", 2)).rename(columns={"sold": "n"}), r"found no column \['sold'\]"),
        (rows(("a", "2024-03-01", np.nan)), "found 1 rows whose sold or at is no number or time"),
        (rows(("a", "2024-03-01", 2)).assign(at=pd.NaT), "is no number or time"),
        (rows(("a", "2024-03-01", 2)).iloc[:0], "found no row, expected sales"),
    ],
)
def test_files_that_are_no_sales_are_refused(tmp_path: Path, frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sales_of(tmp_path, frame)


def test_too_short_a_history_is_refused(tmp_path: Path) -> None:
    found = sales_of(tmp_path, rows(("a", "2024-03-01", 2), ("a", "2024-03-29", 1)))
    with pytest.raises(ValueError, match="found 5 periods, expected at least 8 for 3 windows of 2"):
        origins(found, 2, 3)


def test_nothing_after_a_cut_off_reaches_its_lessons(tmp_path: Path) -> None:
    frame = some_sales()
    found, cut = sales_of(tmp_path, frame), 60
    changed = frame.assign(sold=frame["sold"].where(frame["at"] < pd.Timestamp(found.starts[cut]), 10**6))
    other = sales_of(tmp_path, changed)
    for one, two in zip(SalesLessons(found, cut, 4, "W"), SalesLessons(other, cut, 4, "W"), strict=True):
        np.testing.assert_array_equal(one.block.units, two.block.units)
        np.testing.assert_array_equal(one.came, two.came)
        assert (one.ended, one.block.as_of) == (two.ended, two.block.as_of)
        assert one.ended >= 1
    assert (found.scope(cut, 30) == other.scope(cut, 30)).all()


def test_metrics_by_hand(tmp_path: Path) -> None:
    weekly = [("a", f"2024-03-{day:02d}", sold) for day, sold in ((1, 2), (8, 4), (15, 6), (22, 10))]
    found, folds = sales_of(tmp_path, rows(*weekly)), [Fold(2, np.array([0]))]
    forecast = np.array([[[5.0, 3.0, 5.0, 8.0], [8.0, 7.0, 9.0, 9.5]]])
    judged = scored(found, folds, [forecast], 2)
    steps = scales(found, folds, 1)
    assert steps["scale"].tolist() == [2.0]
    values = {name: frame["numerator"].sum() / frame["denominator"].sum() for name, frame in
              measures(judged, steps, steps).items()}  # fmt: skip
    assert values["wape"] == pytest.approx((1 + 1) / 16)
    assert values["bias"] == pytest.approx((-1 - 2) / 16)
    assert values["mase_1"] == pytest.approx((0.5 + 0.5) / 2)
    assert values["rmsse"] == pytest.approx(np.sqrt((1 + 4) / 2) / 2)
    assert values["coverage_80"] == pytest.approx(0.5)


@pytest.mark.parametrize("freq", ["W", "M"])
def test_the_command_writes_figures_of_every_model(tmp_path: Path, freq: str) -> None:
    frame = some_sales(weeks=70 if freq == "W" else 260)
    frame.loc[frame["id"] == "s00", "sold"] = 0
    frame.loc[frame["id"] == "s01", "sold"] = 3
    frame = frame[(frame["id"] != "s01") | (frame["at"] == frame["at"].max() - pd.Timedelta(days=140))]
    frame.to_parquet(tmp_path / "sales.parquet")
    command = f"--sales {tmp_path}/sales.parquet --id id --time at --value sold --horizon 4 --folds 2 --resamples 50"
    command += f" --freq {freq} --model seasonal_naive xgboost_quantiles --out {tmp_path}/result.json"
    found: dict[str, Any] = demand.main(command.split())
    ours = found["models"]["xgboost_quantiles"]
    assert found["protocol"]["judged"][-1] == 24, "all zeros: nothing to judge; one point: judged"
    assert ours["crossings"] == 0
    assert len(ours["wape"]) == 3 and np.isfinite(ours["wape"]).all()
    assert ours["wape"][0] < found["models"]["seasonal_naive"]["wape"][0]
    assert set(found["gains"]) == {
        "seasonal_naive against xgboost_quantiles",
        "xgboost_quantiles against seasonal_naive",
    }
    assert (tmp_path / "result.json").is_file()
