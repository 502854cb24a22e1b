"""The demand harness: any file into periods, origins that know nothing of what comes, a run of the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import demand
from benchmarks.demand_metrics import Fold, measures, scales, scored, totals
from benchmarks.sales import Columns, Sales, origins, read_sales
from benchmarks.sales_lessons import SalesLessons, block_at


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


@pytest.mark.parametrize(
    ("at_utc", "freq"), [("2024-03-31 01:30", "D"), ("2024-10-27 01:30", "D"), ("2024-04-01", "W")]
)
def test_a_day_of_23_or_25_hours_is_one_day(tmp_path: Path, at_utc: str, freq: str) -> None:
    last = pd.Timestamp(at_utc, tz="UTC").tz_convert("Europe/Berlin")
    at = [last - pd.DateOffset(days=7), last - pd.DateOffset(days=1), last]
    found = sales_of(tmp_path, pd.DataFrame({"id": "a", "at": at, "sold": [1.0, 2.0, 4.0]}), freq)
    assert found.values.tolist() == [[1.0, 6.0]] if freq == "W" else [[1.0, 0, 0, 0, 0, 0, 2.0, 4.0]]
    assert str(found.starts[-2] if freq == "D" else found.starts[-1] - 1) == str(last.date())


def test_rows_of_one_day_add_up_and_cancel_out(tmp_path: Path) -> None:
    found = sales_of(tmp_path, rows(("a", "2024-03-01", 5), ("a", "2024-03-01", -5), ("a", "2024-03-02", 1)), "D")
    assert (found.values.tolist(), found.first.tolist()) == ([[0.0, 1.0]], [1])


@pytest.mark.parametrize("sold", [0.0, -2.0])
def test_a_file_without_a_sale_says_so(tmp_path: Path, sold: float) -> None:
    some_sales(series=3).assign(sold=sold).to_parquet(tmp_path / "sales.parquet")
    command = f"--sales {tmp_path}/sales.parquet --id id --time at --value sold --horizon 4 --folds 2 --freq W"
    with pytest.raises(ValueError, match="found no series that sold in 1 periods before 2021-03-06"):
        demand.main(f"{command} --out {tmp_path}/result.json".split())


@pytest.mark.parametrize("name", demand.MODELS)
def test_odd_series_have_finite_forecasts_in_order(tmp_path: Path, name: str) -> None:
    frame = some_sales(series=12)
    at = sorted(frame["at"].unique())
    odd: dict[str, dict[int, float]] = {
        "one_point": {40: 7.0},
        "a_gap_of_a_year": {2: 5.0, 3: 5.0, 58: 5.0},
        "mostly_returned": {week: -9.0 if week % 9 else 30.0 for week in range(60)},
        "twice_a_day": dict.fromkeys(range(60), 2.0),
    }
    more = [(name, at[week], sold) for name, days in odd.items() for week, sold in days.items()]
    more += [one for one in more if one[0] == "twice_a_day"]
    found = sales_of(tmp_path, pd.concat([frame, pd.DataFrame(more, columns=["id", "at", "sold"])]))
    cut = 62
    model = demand.MODELS[name](horizon=4, period_days=7, threads=1).learn(SalesLessons(found, cut, 4, "W"))
    judged = Fold(cut, found.scope(cut, 1))
    forecast = np.stack(model.forecast(block_at(found, *judged, "W")), axis=-1)
    assert forecast.shape == (16, 4, 4)
    assert np.isfinite(forecast).all() and (forecast >= 0.0).all()
    assert (np.diff(forecast[..., 1:], axis=-1) >= 0.0).all()
    assert found.values[list(found.ids).index("twice_a_day"), 0] == 4.0
    assert totals(found, scored(found, [judged], [forecast], 4))["incoherent_totals"] == 0


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
        (rows(("a", "2024-03-01", np.inf)), "is no number or time"),
        (rows(("a", "2024-03-01", 2)).assign(at="2024-13-01"), "found 1 rows whose sold or at is no number or time"),
        (rows(("a", "2024-03-01", 2)).assign(at=20240301), "found numbers in at, expected dates or times"),
        (rows(("a", "2024-03-01", 2), ("b", "2024-03-01", 2)).assign(id=["a", None]), r"found 1 rows without \['id'\]"),
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


def test_all_models_are_judged_on_the_same_sample_and_forecasts_are_kept(tmp_path: Path) -> None:
    some_sales().to_parquet(tmp_path / "sales.parquet")
    command = f"--sales {tmp_path}/sales.parquet --id id --time at --value sold --horizon 4 --folds 2 --resamples 20"
    command += f" --freq W --model seasonal_naive recent_mean --out {tmp_path}/result.json --sample 6"
    found = demand.main(command.split())
    assert found["protocol"]["judged"] == [6, 6]
    kept = f"{command} --keep {tmp_path}/kept"
    assert [demand.main(kept.split())["models"][name]["wape"] for name in ("seasonal_naive", "recent_mean")] == [
        found["models"][name]["wape"] for name in ("seasonal_naive", "recent_mean")
    ]
    assert {np.load(file).shape for file in (tmp_path / "kept").iterdir()} == {(25, 4, 4)}, "a sample of what is kept"
