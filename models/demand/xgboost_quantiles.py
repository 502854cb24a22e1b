"""One global gradient boosting model for all products and periods: quantiles and mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from models.demand.calibration import Calibration, Outcomes
from models.demand.classes import CLASSES, demand_classes
from models.demand.design import Designer
from models.demand.drawing import Rows, draw
from models.demand.experts import Seen, best_weights, drawn_towards
from models.demand.forecasts import DemandModel, Forecast, check_targets
from models.demand.history import Block, Floats
from models.demand.lessons import Lesson, lessons, newest
from models.demand.parts import chunks, some
from models.demand.trees import ENDS, TREES, Recipe, grown
from models.files import SETTINGS_FILE, corrupt, read_checked, read_settings, take, write_model
from models.protocol import Features

FEWEST_ROWS = 200
"""Training rows (product, cut-off, period) under which the model refuses."""
MOST_JUDGED = 20_000
"""Products of a cut-off that the band and the share of last year are found on."""
_FILES = {kind: f"{kind}.ubj" for kind in TREES}
JUDGED = ("quantiles", "root")
"""Trees whose forecasts are averaged and whose band is calibrated."""
EXPERTS, LAST_YEAR = 2, 1
"""Forecasts that the median is averaged with: the root's, and last year."""


class Said(NamedTuple):
    """What a model says of n products, before it is averaged."""

    trees: dict[str, Floats]
    """[n, H, k] of each kind, in order."""
    last_year: Floats
    """[n, H] NaN where there is none."""
    level: Floats
    """[n]"""

    def experts(self) -> Floats:
        """[n, H, E]"""
        return np.concatenate([self.trees["root"], self.last_year[..., None]], axis=2)


class XGBoostQuantiles(DemandModel):
    """Direct forecasts for all horizons by one model (h is a feature), on targets divided by the product's level.

    Quantiles: pinball loss (Koenker and Bassett 1978) at 0.1, 0.5 and 0.9. Root: squared error of the square root,
    whose square lies near the median of what is skewed to the right. Mean: Poisson deviance, whose forecasts add up to
    what was sold. Trees by histograms (Chen and Guestrin 2016). The median is averaged with the root's forecast and
    with last year moved to this year's level, by shares that each demand class errs least with at the newest cut-offs,
    the mean with last year alone; then the band is calibrated there.
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
        country: str | None = None,
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__(
            horizon=horizon, period_days=period_days, threads=threads, seed=seed, device=device, country=country
        )
        self.recipe = recipe or Recipe()
        self._uncalibrated()
        self._boosters: dict[str, xgb.Booster] = {}

    def _uncalibrated(self) -> None:
        self.weights = np.zeros((len(CLASSES), EXPERTS))
        self.calibration = Outcomes(self.horizon).calibration(*ENDS)

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from the cut-offs whose periods had ended by `targets.known_as_of`.

        Raises ValueError where fewer than 200 rows (product, cut-off, period) are usable.
        """
        check_targets(targets, self.name)
        return self.learn(list(lessons(features, targets, self.horizon, self.period_days)))

    def learn(self, taught: Iterable[Lesson]) -> Self:
        """Learn from lessons, which are gone through several times; raises ValueError as `fit` does.

        The band is calibrated on the lessons of the last periods, by trees that knew nothing of what came in them.
        """
        back = self.recipe.calibrated * self.horizon
        self._uncalibrated()
        before, rows = self._drawn(taught, back)
        if back and len(before.labels) >= FEWEST_ROWS:
            self._boosters = self._grown(JUDGED, before)
            self._calibrated(taught, back)
        del before
        if len(rows.labels) < FEWEST_ROWS:
            found = len(rows.labels)
            raise ValueError(f"too little data to train {self.name}: found {found} rows, expected {FEWEST_ROWS}")
        self._boosters = self._grown(TREES, rows)
        return self

    def _drawn(self, taught: Iterable[Lesson], back: int) -> list[Rows]:
        """Rows of the lessons as they were `back` periods ago, and as they are."""
        backs, most = (back, 0), self.recipe.max_rows
        return draw(taught, self.horizon, self.period_days, self.country, backs, most, self.seed)

    def _grown(self, kinds: Iterable[str], rows: Rows) -> dict[str, xgb.Booster]:
        return grown(kinds, rows, self.recipe, self.threads, self.seed, self.device)

    def _calibrated(self, taught: Iterable[Lesson], back: int) -> None:
        """The experts' shares, then the band, from what the lessons of the last periods say of the trees at hand."""
        seen = [self._seen(lesson) for lesson in newest(taught, back)]
        self.weights = best_weights(seen, EXPERTS, self.recipe.weight_power)
        found = Outcomes(self.horizon)
        for one in seen:
            bands = drawn_towards(one.bands, one.bands[..., 1], one.experts, self.weights[one.classes])
            found.add(bands, one.came, one.level, one.classes)
        self.calibration = found.calibration(*ENDS)

    def _seen(self, lesson: Lesson) -> Seen:
        ended, day = min(lesson.ended, self.horizon), int(lesson.block.as_of.astype("datetime64[D]").astype(np.int64))
        rows = some(len(lesson.block), MOST_JUDGED, [self.seed, day & 0xFFFFFFFF])
        said = self._said(JUDGED, lesson.block, rows)
        block, came = lesson.block.take(rows), lesson.came[rows, :ended]
        bands, experts = said.trees["quantiles"][:, :ended], said.experts()[:, :ended]
        return Seen(bands, experts, came, said.level, demand_classes(block.units, block.age))

    def _forecast(self, block: Block) -> Forecast:
        classes = demand_classes(block.units, block.age)
        said, weights = self._said(tuple(TREES), block, np.arange(len(block))), self.weights[classes]
        mean, bands = said.trees["mean"], said.trees["quantiles"]
        mean = drawn_towards(mean, mean[..., 0], said.last_year[..., None], weights[:, LAST_YEAR:])
        bands = drawn_towards(bands, bands[..., 1], said.experts(), weights)
        bands = self.calibration.moved(bands, said.level, classes)
        return Forecast(mean[..., 0], bands[..., 0], bands[..., 1], bands[..., 2])

    def _said(self, kinds: tuple[str, ...], block: Block, rows: NDArray[np.int64]) -> Said:
        """What the trees and last year say of the products at `rows`."""
        designer, count = Designer(block, self.horizon, self.period_days, self.country), len(rows)
        trees = {kind: np.zeros((count, self.horizon, TREES[kind]), np.float32) for kind in kinds}
        said = Said(trees, np.zeros((count, self.horizon), np.float32), np.zeros(count, np.float32))
        for part in chunks(count):
            design = designer.at(rows[part])
            features, said.level[part], said.last_year[part] = design.rows(), design.level, design.last_year
            for kind, found in trees.items():
                scaled = self._predict(kind, features).reshape(len(part), self.horizon, -1)
                scaled = np.maximum(scaled, 0.0) ** 2 if kind == "root" else scaled
                found[part] = np.sort(scaled * design.level[:, None, None], axis=2)
        return said

    def _predict(self, kind: str, rows: Floats) -> Floats:
        booster = self._booster(kind)
        booster.set_param({"nthread": self.threads, "device": "cpu"})  # scoring is small: the same numbers anywhere
        return np.asarray(booster.inplace_predict(rows), dtype=np.float32)

    def _booster(self, kind: str) -> xgb.Booster:
        if kind not in self._boosters:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        return self._boosters[kind]

    def save(self, folder: Path) -> None:
        """Write `settings.json`, with the digests of the other files, and the boosters in UBJ."""
        raw = {file: bytes(self._booster(kind).save_raw("ubj")) for kind, file in _FILES.items()}
        learnt = {"recipe": asdict(self.recipe), "shifts": self.calibration.shifts.tolist()}
        learnt["weights"] = self.weights.tolist()
        write_model(folder, self._settings() | learnt, raw)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        model = cls._from_settings(settings, folder)
        model.recipe = _recipe(take(settings, "recipe", dict, folder), folder)
        classes = len(CLASSES)
        model.calibration = Calibration(_array(settings, "shifts", (classes, model.horizon, 2), folder))
        model.weights = _array(settings, "weights", (classes, EXPERTS), folder)
        for kind, file in _FILES.items():
            model._boosters[kind] = xgb.Booster(model_file=bytearray(read_checked(folder, settings, file)))
        return model


def _recipe(found: dict[str, Any], folder: Path) -> Recipe:
    try:
        return Recipe(**found)
    except TypeError as error:
        raise corrupt(folder / SETTINGS_FILE, XGBoostQuantiles.name, str(error)) from error


def _array(settings: dict[str, Any], key: str, shape: tuple[int, ...], folder: Path) -> NDArray[np.float64]:
    found = np.array(take(settings, key, list, folder), np.float64)
    if found.shape != shape:
        said = f"{key} has the shape {found.shape}, expected {shape}"
        raise corrupt(folder / SETTINGS_FILE, XGBoostQuantiles.name, said)
    return found
