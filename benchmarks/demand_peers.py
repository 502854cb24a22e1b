"""Other packages' demand forecasts, in a virtual environment of their own; run as a script by its interpreter.

`python demand_peers.py NAME SALES.parquet FORECASTS.parquet WANTED`: sales hold series (integers from 0), ds, y from
the first sale to the cut-off, with the static columns category and brand; forecasts hold series, horizon (from 1),
mean, p10, p50, p90, with attrs of CPU seconds where they are known. WANTED is JSON of `Wanted`. Needs nothing of this
project: see README.md beside it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Wanted:
    """What a peer is asked for."""

    horizon: int
    freq: str
    season: int
    threads: int
    seed: int


LAGS = {"D": [1, 2, 3, 7, 14, 28, 364], "W": [1, 2, 3, 4, 8, 13, 26, 52], "M": [1, 2, 3, 6, 12], "Q": [1, 2, 4]}
DATES = {"D": ["dayofweek", "month"], "W": ["week", "month"], "M": ["month"], "Q": ["quarter"]}
LEVEL = 80


def mlforecast_lightgbm(sales: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """mlforecast's recursive global LightGBM on absolute error, series scaled; its own conformal intervals."""
    return _mlforecast(sales, wanted, {})


def mlforecast_lightgbm_direct(sales: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """The same with one LightGBM a horizon."""
    return _mlforecast(sales, wanted, {"max_horizon": wanted.horizon})


def _mlforecast(sales: pd.DataFrame, wanted: Wanted, fit: dict[str, Any]) -> pd.DataFrame:
    from lightgbm import LGBMRegressor
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean
    from mlforecast.target_transforms import LocalStandardScaler
    from mlforecast.utils import PredictionIntervals

    model = LGBMRegressor(
        objective="l1", n_estimators=300, learning_rate=0.05, num_leaves=63, n_jobs=wanted.threads,
        random_state=wanted.seed, verbosity=-1,
    )  # fmt: skip
    shortest = sales.groupby("series")["y"].transform("size")
    long_enough = sales[shortest > 2 * wanted.horizon + 2]
    forecaster = MLForecast(
        models={"model": model},
        freq=1,
        lags=LAGS[wanted.freq],
        lag_transforms={1: [RollingMean(4, min_samples=1), RollingMean(26, min_samples=1)]},
        target_transforms=[LocalStandardScaler()],
        num_threads=wanted.threads,
    )
    frame = long_enough.rename(columns={"series": "unique_id"})
    season = {"season": frame["ds"].to_numpy() % wanted.season}
    frame = frame.assign(**season)[["unique_id", "ds", "y", "season"]]
    future = forecaster_future(frame, wanted)
    marks = [time.process_time()]
    forecaster.fit(
        frame, static_features=[], prediction_intervals=PredictionIntervals(n_windows=2, h=wanted.horizon), **fit
    )
    marks.append(time.process_time())
    found = forecaster.predict(wanted.horizon, X_df=future, level=[LEVEL])
    marks.append(time.process_time())
    asked = _as_asked(found, "model", sales, wanted)
    asked.attrs = dict(zip(("fit_cpu_seconds", "forecast_cpu_seconds"), np.diff(marks).tolist(), strict=True))
    return asked


def forecaster_future(frame: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """The place in the season of the periods ahead, which is known."""
    last = frame.groupby("unique_id")["ds"].max().reset_index()
    ahead = last.loc[last.index.repeat(wanted.horizon)].reset_index(drop=True)
    ahead["ds"] += np.tile(np.arange(1, wanted.horizon + 1), len(last))
    return ahead.assign(season=ahead["ds"] % wanted.season)


def _statsforecast(name: str) -> Callable[[pd.DataFrame, Wanted], pd.DataFrame]:
    def forecast(sales: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
        from statsforecast import StatsForecast, models
        from statsforecast.utils import ConformalIntervals

        seasonal = {"AutoETS", "AutoTheta", "DynamicOptimizedTheta", "SeasonalNaive", "MSTL"}
        kind = getattr(models, name)
        own = ConformalIntervals(n_windows=2, h=wanted.horizon)
        if name in seasonal:
            model = kind(season_length=wanted.season)
        elif name == "TSB":
            model = kind(alpha_d=0.2, alpha_p=0.2, prediction_intervals=own)
        else:
            model = kind(prediction_intervals=own)
        model.alias = "model"
        fallback = models.HistoricAverage()
        fallback.alias = "model"
        forecaster = StatsForecast(models=[model], freq=1, n_jobs=wanted.threads, fallback_model=fallback)
        frame = sales[["series", "ds", "y"]].rename(columns={"series": "unique_id"})
        is_short = frame.groupby("unique_id")["y"].transform("size") <= 2 * wanted.horizon + 1
        found = forecaster.forecast(df=frame[~is_short], h=wanted.horizon, level=[LEVEL])
        return _as_asked(found, "model", sales, wanted)

    return forecast


def _as_asked(found: pd.DataFrame, model: str, sales: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """Every series' forecast; the mean of the last eight periods where the package gave none."""
    columns = {"p10": f"{model}-lo-{LEVEL}", "p50": model, "p90": f"{model}-hi-{LEVEL}"}
    series = np.sort(sales["series"].unique())
    recent = sales.groupby("series")["y"].apply(lambda units: units.iloc[-8:].mean()).reindex(series).to_numpy()
    full = pd.MultiIndex.from_product([series, range(1, wanted.horizon + 1)], names=["series", "horizon"])
    horizon = found.groupby("unique_id").cumcount() + 1
    given = pd.DataFrame({to: found[name].to_numpy(np.float64) for to, name in columns.items() if name in found})
    given.index = pd.MultiIndex.from_arrays([found["unique_id"], horizon], names=full.names)
    given = given.reindex(full)
    flat = np.repeat(recent, wanted.horizon)
    for name in columns:
        values = given[name] if name in given else given["p50"]
        given[name] = values.where(values.notna(), flat)
    return given.assign(mean=given["p50"]).reset_index()


PEERS: dict[str, Callable[[pd.DataFrame, Wanted], pd.DataFrame]] = {
    "mlforecast_lightgbm": mlforecast_lightgbm,
    "mlforecast_lightgbm_direct": mlforecast_lightgbm_direct,
    "statsforecast_seasonal_naive": _statsforecast("SeasonalNaive"),
    "statsforecast_auto_ets": _statsforecast("AutoETS"),
    "statsforecast_auto_theta": _statsforecast("AutoTheta"),
    "statsforecast_dynamic_theta": _statsforecast("DynamicOptimizedTheta"),
    "statsforecast_mstl": _statsforecast("MSTL"),
    "statsforecast_croston": _statsforecast("CrostonOptimized"),
    "statsforecast_tsb": _statsforecast("TSB"),
    "statsforecast_imapa": _statsforecast("IMAPA"),
}


if __name__ == "__main__":
    peer, source, target, asked = sys.argv[1:]
    os.environ.setdefault("NIXTLA_ID_AS_COL", "1")
    PEERS[peer](pd.read_parquet(source), Wanted(**json.loads(asked))).to_parquet(target)
