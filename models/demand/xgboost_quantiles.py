"""One global gradient boosting model for all products and periods: quantiles and mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from models.dates import to_days
from models.demand.design import build_design
from models.demand.forecasts import DemandModel, Forecast, known_as_of
from models.demand.history import Block, Floats, blocks
from models.files import SETTINGS_FILE, corrupt, read_checked, read_settings, take, write_model
from models.protocol import Features

LEVELS = (0.1, 0.5, 0.9)
FEWEST_ROWS = 200
"""Training rows (product, cut-off, period) under which the model refuses."""
_FILES = {"quantiles": "quantiles.ubj", "mean": "mean.ubj"}


@dataclass(frozen=True)
class Recipe:
    """How the trees are grown; found on cut-offs before those reported (docs/experiments.md)."""

    rounds: int = 40
    """Boosting rounds; the quantile model grows three trees a round."""
    learning_rate: float = 0.15
    max_depth: int = 5
    min_child_weight: float = 100.0
    """Smallest sum of hessians in a leaf: for quantiles that is the sum of weights."""
    column_share: float = 0.5
    """Share of the features that each tree sees."""
    max_bin: int = 64
    max_rows: int = 100_000
    """Rows drawn for training; the horizons of one product overlap, so more adds little."""
    weight_power: float = 1.0
    """A row weighs level ** power; at 1 the pinball loss is that of units, and the median minimises WAPE."""


class XGBoostQuantiles(DemandModel):
    """Direct forecasts for all horizons by one model (h is a feature), on targets divided by the product's level.

    Quantiles: pinball loss (Koenker and Bassett 1978) at 0.1, 0.5 and 0.9. Mean: Poisson deviance, whose
    forecasts add up to what was sold. Trees by histograms (Chen and Guestrin 2016).
    """

    name: ClassVar[str] = "xgboost_quantiles"

    def __init__(
        self,
        *,
        horizon: int,
        period_days: int,
        threads: int = 0,
        seed: int = 7,
        device: str = "cpu",
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__(horizon=horizon, period_days=period_days, threads=threads, seed=seed, device=device)
        self.recipe = recipe or Recipe()
        self._boosters: dict[str, xgb.Booster] = {}

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from the cut-offs whose periods had ended by `targets.known_as_of`.

        Raises ValueError where fewer than 200 rows (product, cut-off, period) are usable.
        """
        known = known_as_of(targets, self.name)
        drawn = list(_training_parts(self, features, targets, known))
        rows = sum(len(part[1]) for part in drawn)
        if rows < FEWEST_ROWS:
            raise ValueError(f"too little data to train {self.name}: found {rows} rows, expected {FEWEST_ROWS}")
        design, labels, weights = (np.concatenate(column) for column in zip(*drawn, strict=True))
        del drawn
        matrix = xgb.QuantileDMatrix(
            design, labels, weight=weights, max_bin=self.recipe.max_bin, nthread=self.threads or None
        )
        for kind in _FILES:
            self._boosters[kind] = xgb.train(self._parameters(kind, labels), matrix, self.recipe.rounds)
        return self

    def _parameters(self, kind: str, labels: Floats) -> dict[str, Any]:
        recipe = self.recipe
        common = {
            "tree_method": "hist",
            "device": self.device,
            "nthread": self.threads or None,
            "seed": self.seed,
            "learning_rate": recipe.learning_rate,
            "max_depth": recipe.max_depth,
            "min_child_weight": recipe.min_child_weight,
            "colsample_bytree": recipe.column_share,
            "max_bin": recipe.max_bin,
        }
        if kind == "mean":
            return common | {"objective": "count:poisson", "base_score": 1.0}
        return common | {"objective": "reg:quantileerror", "quantile_alpha": list(LEVELS)}

    def _forecast(self, block: Block) -> Forecast:
        design = build_design(block, self.horizon, self.period_days)
        rows = design.rows()
        level = design.level[:, None]
        mean = self._predict("mean", rows).reshape(len(block), self.horizon) * level
        bands = self._predict("quantiles", rows).reshape(len(block), self.horizon, len(LEVELS)) * level[:, :, None]
        return Forecast(mean, bands[..., 0], bands[..., 1], bands[..., 2])

    def _predict(self, kind: str, rows: Floats) -> Floats:
        booster = self._booster(kind)
        booster.set_param({"nthread": self.threads, "device": "cpu"})  # scoring is small: the same numbers anywhere
        return np.asarray(booster.inplace_predict(rows), dtype=np.float32)

    def _booster(self, kind: str) -> xgb.Booster:
        if kind not in self._boosters:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        return self._boosters[kind]

    def save(self, folder: Path) -> None:
        """Write `settings.json`, with the digests of the other files, and two boosters in UBJ."""
        raw = {file: bytes(self._booster(kind).save_raw("ubj")) for kind, file in _FILES.items()}
        write_model(folder, self._settings() | {"recipe": asdict(self.recipe)}, raw)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        model = cls._from_settings(settings, folder)
        model.recipe = _recipe(take(settings, "recipe", dict, folder), folder)
        for kind, file in _FILES.items():
            model._boosters[kind] = xgb.Booster(model_file=bytearray(read_checked(folder, settings, file)))
        return model


def _recipe(found: dict[str, Any], folder: Path) -> Recipe:
    try:
        return Recipe(**found)
    except TypeError as error:
        raise corrupt(folder / SETTINGS_FILE, XGBoostQuantiles.name, str(error)) from error


def _training_parts(
    model: XGBoostQuantiles, features: Features, targets: pd.DataFrame, known: np.datetime64
) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Drawn rows of each cut-off: features [r, F], scaled targets [r], weights [r]."""
    usable = _usable_rows(features["demand_products"], model.horizon, model.period_days, known)
    share = min(1.0, model.recipe.max_rows / max(usable, 1))
    at = to_days(targets["as_of"])
    for block in blocks(features, model.period_days):
        ended = int((known - block.as_of) / np.timedelta64(model.period_days, "D"))
        if ended < 1:
            continue
        came = _outcomes(block, targets.loc[at == block.as_of], model.horizon)
        drawn = _draw(block, model, min(ended, model.horizon), share)
        design = build_design(block, model.horizon, model.period_days)
        level = design.level[drawn // model.horizon]
        yield design.rows(drawn), came.ravel()[drawn] / level, level**model.recipe.weight_power


def _usable_rows(products: pd.DataFrame, horizon: int, period_days: int, known: np.datetime64) -> int:
    ended = (known - to_days(products["as_of"])) / np.timedelta64(period_days, "D")
    return int(np.clip(np.floor(ended), 0, horizon).sum())


def _draw(block: Block, model: XGBoostQuantiles, ended: int, share: float) -> NDArray[np.int64]:
    """Sorted row numbers (product * H + h - 1) among the periods that have ended, `share` of them at random."""
    steps = np.arange(ended, dtype=np.int64)
    usable = (np.arange(len(block), dtype=np.int64)[:, None] * model.horizon + steps[None]).ravel()
    if share >= 1.0:
        return usable
    random = np.random.default_rng([model.seed, int(block.as_of.astype("datetime64[D]").astype(np.int64)) & 0xFFFFFFFF])
    return usable[random.random(len(usable)) < share]


def _outcomes(block: Block, targets: pd.DataFrame, horizon: int) -> Floats:
    """[n, H] units that came, zero where there is no row."""
    came = np.zeros((len(block), horizon), np.float32)
    which = pd.Index(block.products["product_id"]).get_indexer(pd.Index(targets["product_id"]))
    ahead = targets["horizon"].to_numpy(np.int64)
    kept = (which >= 0) & (ahead >= 1) & (ahead <= horizon)
    came[which[kept], ahead[kept] - 1] = np.maximum(targets["units"].to_numpy(np.float32)[kept], 0.0)
    return came
