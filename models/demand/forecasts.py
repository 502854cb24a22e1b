"""What all demand models share: their settings, the frame they return, their settings file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd

from models.dates import to_days
from models.demand.history import YEAR, Block, Floats, blocks, periods_kept
from models.files import read_settings, take, write_settings
from models.protocol import Features

MEAN, P10, P50, P90 = "units_mean", "units_p10", "units_p50", "units_p90"


class Forecast(NamedTuple):
    """Units by product and period, each [n, H]."""

    mean: Floats
    p10: Floats
    p50: Floats
    p90: Floats


class DemandModel(ABC):
    """A forecaster of units ordered, by product and period.

    horizon: periods ahead, 1 to a year. period_days: 7 (a week counted from as_of) or 1.
    threads: 0 takes all cores. seed: of any sampling. device: "cpu" or "cuda".
    Threads and device are not part of the model: they are not saved.
    """

    name: ClassVar[str]

    def __init__(self, *, horizon: int, period_days: int, threads: int = 0, seed: int = 7, device: str = "cpu") -> None:
        periods_kept(period_days)
        if not 1 <= horizon <= YEAR[period_days]:
            raise ValueError(f"horizon is {horizon}, expected 1 to {YEAR[period_days]} periods (a year)")
        self.horizon = horizon
        self.period_days = period_days
        self.threads = threads
        self.seed = seed
        self.device = device

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from past cut-offs; a model that only reads each series learns nothing here."""
        return self

    def predict(self, features: Features) -> pd.DataFrame:
        """as_of, product_id, horizon, units_mean, units_p10, units_p50, units_p90, sorted by the first three."""
        frames = [self._frame(block, self._forecast(block)) for block in blocks(features, self.period_days)]
        if not frames:
            frames = [self._frame(_no_products(features), Forecast(*[np.zeros((0, self.horizon), np.float32)] * 4))]
        return pd.concat(frames, ignore_index=True)

    @abstractmethod
    def _forecast(self, block: Block) -> Forecast:
        """The forecast for one cut-off."""

    def _frame(self, block: Block, forecast: Forecast) -> pd.DataFrame:
        """One row per product and period; below zero becomes zero, crossed quantiles are put in order."""
        rows, periods = len(block), self.horizon
        bands = np.sort(np.stack(forecast[1:]).astype(np.float64), axis=0)
        columns = dict(zip((MEAN, P10, P50, P90), [forecast.mean.astype(np.float64), *bands], strict=True))
        key = {
            "as_of": np.repeat(block.as_of.astype("datetime64[us]"), rows * periods),
            "product_id": block.products["product_id"].repeat(periods).reset_index(drop=True),
            "horizon": np.tile(np.arange(1, periods + 1, dtype=np.int64), rows),
        }
        return pd.DataFrame(key | {name: np.maximum(array, 0.0).ravel() for name, array in columns.items()})

    def save(self, folder: Path) -> None:
        """Write `settings.json`."""
        write_settings(folder, self._settings())

    def _settings(self) -> dict[str, Any]:
        return {"model": self.name, "horizon": self.horizon, "period_days": self.period_days, "seed": self.seed}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `settings.json`; raises ValueError where it is missing or corrupt."""
        return cls._from_settings(read_settings(folder, cls.name), folder)

    @classmethod
    def _from_settings(cls, settings: Mapping[str, Any], folder: Path) -> Self:
        keys = ("horizon", "period_days", "seed")
        return cls(**{key: take(settings, key, int, folder) for key in keys})


def known_as_of(targets: pd.DataFrame, model: str) -> np.datetime64:
    """The date up to which outcomes are known; raises ValueError where `targets` is empty."""
    if targets.empty:
        raise ValueError(f"too little data to train {model}: no targets; a baseline can serve until there are more")
    known: np.datetime64 = to_days(targets["known_as_of"]).max()
    return known


def _no_products(features: Features) -> Block:
    products = features["demand_products"].iloc[:0]
    none = np.zeros((0, 1), np.float32)
    return Block(np.datetime64("1970-01-01", "D"), products, none, none, np.zeros(0, np.int64))
