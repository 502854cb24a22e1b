"""What all demand models share: their settings, the frame they return, their settings file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.demand.history import YEAR, Block, blocks, periods_kept
from models.demand.lessons import Lesson
from models.files import read_settings, take, write_settings
from models.protocol import Features

MEAN, P10, P50, P90 = "units_mean", "units_p10", "units_p50", "units_p90"


class Forecast(NamedTuple):
    """Units by product and period, each [n, H]."""

    mean: NDArray[np.floating]
    p10: NDArray[np.floating]
    p50: NDArray[np.floating]
    p90: NDArray[np.floating]


class DemandModel(ABC):
    """A forecaster of units ordered, by product and period.

    horizon: periods ahead, 1 to a year. period_days: 7 (a week counted from as_of) or 1.
    threads: 0 takes all cores. seed: of any sampling. device: "cpu" or "cuda". country: whose public holidays move
    sales (ISO 3166, as the package `holidays` has them); None: Easter alone.
    Threads and device are not part of the model: they are not saved.
    """

    name: ClassVar[str]

    def __init__(
        self,
        *,
        horizon: int,
        period_days: int,
        threads: int = 0,
        seed: int = 7,
        device: str = "cpu",
        country: str | None = None,
    ) -> None:
        periods_kept(period_days)
        if not 1 <= horizon <= YEAR[period_days]:
            raise ValueError(f"horizon is {horizon}, expected 1 to {YEAR[period_days]} periods (a year)")
        self.horizon = horizon
        self.period_days = period_days
        self.threads = threads
        self.seed = seed
        self.device = device
        self.country = country

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from past cut-offs; a model that only reads each series learns nothing here."""
        return self

    def learn(self, taught: Iterable[Lesson]) -> Self:
        """`fit` on lessons: history at past cut-offs with what came of it."""
        return self

    def predict(self, features: Features) -> pd.DataFrame:
        """as_of, product_id, horizon, units_mean, units_p10, units_p50, units_p90, sorted by the first three."""
        frames = [self._frame(block, self.forecast(block)) for block in blocks(features, self.period_days)]
        if not frames:
            frames = [self._frame(_no_products(features), Forecast(*[np.zeros((0, self.horizon), np.float32)] * 4))]
        return pd.concat(frames, ignore_index=True)

    def forecast(self, block: Block) -> Forecast:
        """The forecast for one cut-off, [n, H] each: below zero becomes zero, crossed quantiles are put in order."""
        mean, *bands = (np.maximum(part.astype(np.float64), 0.0) for part in self._forecast(block))
        return Forecast(mean, *np.sort(np.stack(bands), axis=0))

    @abstractmethod
    def _forecast(self, block: Block) -> Forecast:
        """The forecast for one cut-off as the model has it."""

    def _frame(self, block: Block, forecast: Forecast) -> pd.DataFrame:
        """One row per product and period."""
        rows, periods = len(block), self.horizon
        key = {
            "as_of": np.repeat(block.as_of.astype("datetime64[us]"), rows * periods),
            "product_id": block.products["product_id"].repeat(periods).reset_index(drop=True),
            "horizon": np.tile(np.arange(1, periods + 1, dtype=np.int64), rows),
        }
        columns = dict(zip((MEAN, P10, P50, P90), forecast, strict=True))
        return pd.DataFrame(key | {name: array.astype(np.float64).ravel() for name, array in columns.items()})

    def save(self, folder: Path) -> None:
        """Write `settings.json`."""
        write_settings(folder, self._settings())

    def _settings(self) -> dict[str, Any]:
        return {
            "model": self.name,
            "horizon": self.horizon,
            "period_days": self.period_days,
            "seed": self.seed,
            "country": self.country,
        }

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `settings.json`; raises ValueError where it is missing or corrupt."""
        return cls._from_settings(read_settings(folder, cls.name), folder)

    @classmethod
    def _from_settings(cls, settings: Mapping[str, Any], folder: Path) -> Self:
        keys = ("horizon", "period_days", "seed")
        country = settings.get("country") and take(settings, "country", str, folder)
        return cls(**{key: take(settings, key, int, folder) for key in keys}, country=country)


def check_targets(targets: pd.DataFrame, model: str) -> None:
    """Raises ValueError where `targets` is empty: then nobody knows up to when outcomes are known."""
    if targets.empty:
        raise ValueError(f"too little data to train {model}: no targets; a baseline can serve until there are more")


def _no_products(features: Features) -> Block:
    products = features["demand_products"].iloc[:0]
    none = np.zeros((0, 1), np.float32)
    return Block(np.datetime64("1970-01-01", "D"), products, none, none, np.zeros(0, np.int64))
