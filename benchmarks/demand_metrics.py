"""Metrics of demand forecasts: per series, so that intervals come from drawing series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.sales import Sales
from models import metrics
from models.bootstrap import interval, paired_gain
from models.demand.classes import CLASSES, demand_classes
from models.demand.totals import CATEGORY, EVERYTHING, NO_CATEGORY, TOTAL, demand_totals
from models.metrics import DENOMINATOR, NUMERATOR

Floats = NDArray[np.float64]
SEASONS = {"D": 7, "W": 52, "M": 12, "Q": 4}
"""Periods in the season that MASE's naive forecast repeats."""
UNITS = ("units_mean", "units_p10", "units_p50", "units_p90")
LOWER_IS_BETTER = ("wape", "mase", "mase_1", "rmsse", "scaled_pinball")


class Fold(NamedTuple):
    """One origin: the series judged, and the column that their window starts at."""

    cut: int
    rows: NDArray[np.int64]


def scored(sales: Sales, folds: Sequence[Fold], forecasts: Sequence[Floats], horizon: int) -> pd.DataFrame:
    """as_of, product_id, horizon, units, the forecast's columns and the demand class; forecasts: [n, H, 4] a fold."""
    frames = []
    for fold, forecast in zip(folds, forecasts, strict=True):
        count = len(fold.rows)
        key = {
            "as_of": np.repeat(sales.starts[fold.cut], count * horizon),
            "product_id": np.repeat(sales.ids[fold.rows], horizon),
            "horizon": np.tile(np.arange(1, horizon + 1), count),
            "units": sales.values[fold.rows, fold.cut : fold.cut + horizon].ravel(),
            "class": np.repeat(class_of(sales, fold), horizon),
        }
        columns = {name: forecast[..., place].ravel() for place, name in enumerate(UNITS)}
        frames.append(pd.DataFrame(key | columns))
    return pd.concat(frames, ignore_index=True)


def class_of(sales: Sales, fold: Fold) -> NDArray[np.str_]:
    """[n] the demand class of each series as its past tells it."""
    past = np.maximum(sales.values[fold.rows, : fold.cut], 0.0)[:, ::-1]
    return np.asarray(CLASSES)[demand_classes(past, fold.cut - sales.first[fold.rows])]


def scales(sales: Sales, folds: Sequence[Fold], season: int) -> pd.DataFrame:
    """as_of, product_id and the mean absolute error of the naive forecast of that season on the past since the first
    sale; NaN where there is less than a season of it."""
    frames = []
    for fold in folds:
        past = sales.values[fold.rows, : fold.cut]
        steps = np.abs(past[:, season:] - past[:, :-season]) if fold.cut > season else np.zeros((len(past), 0))
        inside = np.arange(season, max(fold.cut, season))[None] >= sales.first[fold.rows, None] + season
        count = inside.sum(axis=1)
        scale = np.where(count > 0, (steps * inside).sum(axis=1) / np.maximum(count, 1), np.nan)
        frames.append(
            pd.DataFrame({"as_of": sales.starts[fold.cut], "product_id": sales.ids[fold.rows], "scale": scale})
        )
    return pd.concat(frames, ignore_index=True)


def rmsse(scored: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """Root mean squared error of the mean by the root of the naive forecast's (M5, Makridakis 2022), a series a fold.

    sizes: as `scales`, of squared errors.
    """
    joined = scored.merge(sizes, on=["as_of", "product_id"], how="left", validate="many_to_one")
    joined = joined[joined["scale"] > 0]
    squared = (joined["units"] - joined["units_mean"]) ** 2 / joined["scale"] ** 2
    by_fold = squared.groupby([joined["as_of"], joined["product_id"]]).mean() ** 0.5
    by_series = by_fold.groupby(level=1).agg(["sum", "size"])
    return by_series.set_axis([NUMERATOR, DENOMINATOR], axis=1).astype(np.float64)


def measures(scored: pd.DataFrame, by_season: pd.DataFrame, by_step: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every metric per series, over all folds."""
    return {
        "wape": metrics.wape(scored),
        "wape_of_mean": metrics.wape(scored, "units_mean"),
        "mase": metrics.mase(scored, by_season),
        "mase_1": metrics.mase(scored, by_step),
        "rmsse": rmsse(scored, by_step),
        "bias": metrics.bias(scored),
        "scaled_pinball": metrics.scaled_pinball(scored, by_season),
        "coverage_80": metrics.coverage(scored),
    }


def figures(found: dict[str, pd.DataFrame], *, seed: int, resamples: int) -> dict[str, list[float]]:
    """Each metric as [value, low, high], 95%."""
    return {
        name: [round(part, 5) for part in interval(frame, seed=seed, resamples=resamples)]
        for name, frame in found.items()
    }


def gains(
    ours: dict[str, pd.DataFrame], peer: dict[str, pd.DataFrame], *, seed: int, resamples: int
) -> dict[str, list[float]]:
    """How much lower each error is than the peer's, as a share of it with the paired interval."""
    return {
        name: [round(part, 5) for part in paired_gain(ours[name], peer[name], seed=seed, resamples=resamples)]
        for name in LOWER_IS_BETTER
    }


def checks(scored: pd.DataFrame) -> dict[str, object]:
    """Crossed quantiles, WAPE by class, and the share of outcomes inside the band by class, horizon and fold."""
    inside = (scored["units"] >= scored["units_p10"]) & (scored["units"] <= scored["units_p90"])
    crossed = (scored["units_p10"] > scored["units_p50"]) | (scored["units_p50"] > scored["units_p90"])
    by_class = {name: round(metrics.value(metrics.wape(rows)), 4) for name, rows in scored.groupby("class")}
    found: dict[str, object] = {"crossings": int(crossed.sum()), "wape_by_class": by_class}
    for name in ("class", "horizon", "as_of"):
        shares = inside.groupby(scored[name]).agg(["mean", "size"])
        found[f"coverage_by_{name}"] = {
            str(key): [round(row["mean"], 4), int(row["size"])] for key, row in shares.iterrows()
        }
    return found


def totals(sales: Sales, scored: pd.DataFrame) -> dict[str, object]:
    """Categories and the whole: sums that are a half unit off the products', and coverage by level."""
    categories = pd.DataFrame({"product_id": sales.ids, "category": sales.groups["category"]})
    joined = scored.merge(categories, on="product_id", how="left", validate="many_to_one")
    joined["key"] = joined["category"].astype(object).where(joined["category"].notna(), NO_CATEGORY).astype(str)
    inside, differences = [], 0
    for _, fold in joined.groupby("as_of"):
        found = demand_totals(fold, categories)
        came = [fold.groupby(["key", "horizon"])["units"].sum().reset_index().assign(level=CATEGORY)]
        came.append(fold.groupby("horizon")["units"].sum().reset_index().assign(level=TOTAL, key=EVERYTHING))
        found = found.merge(pd.concat(came), on=["level", "key", "horizon"], validate="one_to_one")
        by_product = fold.groupby("horizon")["units_mean"].sum()
        by_level = found.pivot_table(index="horizon", columns="level", values="units_mean", aggfunc="sum")
        differences += int((by_level.sub(by_product, axis=0).abs() > 0.5).sum().sum())
        inside.append(found.assign(hit=(found["units"] >= found["units_p10"]) & (found["units"] <= found["units_p90"])))
    shares = pd.concat(inside).groupby("level")["hit"].agg(["mean", "size"])
    covered = {str(level): [round(row["mean"], 4), int(row["size"])] for level, row in shares.iterrows()}
    return {"incoherent_totals": differences, "coverage_by_level": covered}
