"""Gradient boosting on the payments' features, calibrated on a later window, with reasons."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from models.files import SETTINGS_FILE, corrupt, read_checked, read_settings, take, write_model
from models.protocol import Features
from models.risk.calibration import Platt, fit_platt
from models.risk.payments import IS_FRAUD, IS_MATURE, Floats, RiskModel, labelled, numbers, numeric_columns
from models.risk.reasons import Texts, reasons_of, usual_of

FEWEST_FRAUDS = 20
"""Known frauds under which the model refuses."""
_BOOSTER = "booster.ubj"


@dataclass(frozen=True)
class Recipe:
    """How the trees are grown; found on days before those reported (docs/experiments.md)."""

    rounds: int = 100
    """Boosting rounds, one tree each."""
    learning_rate: float = 0.1
    max_depth: int = 4
    min_child_weight: float = 1.0
    """Smallest sum of hessians in a leaf; they start at 1/4 a row, since the intercept is even odds."""
    row_share: float = 1.0
    """Share of the rows that each tree sees."""
    column_share: float = 0.8
    """Share of the features that each tree sees."""
    max_bin: int = 256
    later_share: float = 0.25
    """Share of the matured payments, the latest, that calibrate."""


class XGBoostRisk(RiskModel):
    """Binary logistic trees by histograms (Chen and Guestrin 2016), then Platt's two numbers.

    The two numbers are fitted on the latest quarter of the matured payments, with trees that have not seen it; the
    trees that serve are grown on all labelled payments. Rows are never weighted by class: that ruins calibration.
    """

    name: ClassVar[str] = "xgboost_risk"

    def __init__(self, *, threads: int = 0, seed: int = 7, device: str = "cpu", recipe: Recipe | None = None) -> None:
        super().__init__(threads=threads, seed=seed, device=device)
        self.recipe = recipe or Recipe()
        self.columns: list[str] = []
        self.platt = Platt()
        self.usual: list[float | None] = []
        self._booster: xgb.Booster | None = None

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from matured payments and known frauds; raises ValueError where there are under 20 frauds."""
        rows = labelled(features, targets, self.name)
        frauds = int(rows[IS_FRAUD].sum())
        if frauds < FEWEST_FRAUDS or len(rows) - frauds < FEWEST_FRAUDS:
            raise ValueError(
                f"too little data to train {self.name}: found {frauds} known frauds among {len(rows)} labelled "
                f"payments, expected {FEWEST_FRAUDS} of each kind"
            )
        self.columns = numeric_columns(rows)
        design, fraud = numbers(rows, self.columns), rows[IS_FRAUD].to_numpy(bool)
        later = self._later(rows)
        if fraud[~later].any() and not fraud[~later].all():
            self._booster = self._grow(design[~later], fraud[~later])
            self.platt = fit_platt(self._margins(design[later]), fraud[later])
        else:
            self.platt = Platt()
        self._booster = self._grow(design, fraud)
        self.usual = [None if np.isnan(value) else float(value) for value in usual_of(design, fraud)]
        return self

    def _later(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """[n] the latest quarter of the matured payments: of these alone frauds and negatives are both known."""
        place = rows[IS_MATURE].cumsum().to_numpy()
        return np.asarray(rows[IS_MATURE].to_numpy(bool) & (place > (1.0 - self.recipe.later_share) * place[-1]))

    def _grow(self, design: Floats, fraud: NDArray[np.bool_]) -> xgb.Booster:
        recipe = self.recipe
        matrix = xgb.QuantileDMatrix(design, fraud, max_bin=recipe.max_bin, nthread=self.threads or None)
        parameters = {
            "objective": "binary:logistic",
            "base_score": 0.5,  # even odds: from the rare class's own rate, hessians are too small for any leaf
            "tree_method": "hist",
            "device": self.device,
            "nthread": self.threads or None,
            "seed": self.seed,
            "learning_rate": recipe.learning_rate,
            "max_depth": recipe.max_depth,
            "min_child_weight": recipe.min_child_weight,
            "subsample": recipe.row_share,
            "colsample_bytree": recipe.column_share,
            "max_bin": recipe.max_bin,
        }
        return xgb.train(parameters, matrix, recipe.rounds)

    def _score(self, payments: pd.DataFrame) -> tuple[Floats, Texts]:
        values = numbers(payments, self._trained().columns)
        usual = np.array([np.nan if value is None else value for value in self.usual])
        reasons = reasons_of(self.columns, values, usual, self._contributions, self._margins)
        return self.platt.probability(self._margins(values)) if len(values) else np.zeros(0), reasons

    def _contributions(self, values: Floats) -> Floats:
        """[n, F] what each feature adds to the margin along the trees' paths."""
        matrix = xgb.DMatrix(values, nthread=self.threads or None)
        shares = self._serving().predict(matrix, pred_contribs=True, approx_contribs=True)
        return np.asarray(shares[:, :-1], dtype=np.float64)

    def _margins(self, values: Floats) -> Floats:
        margins = self._serving().inplace_predict(values, predict_type="margin")
        return np.asarray(margins, dtype=np.float64)

    def _serving(self) -> xgb.Booster:
        booster = self._trained()._booster
        assert booster is not None
        booster.set_param({"nthread": self.threads, "device": "cpu"})  # scoring is small: the same numbers anywhere
        return booster

    def _trained(self) -> Self:
        if self._booster is None:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        return self

    def save(self, folder: Path) -> None:
        """Write `settings.json` (features, calibration, recipe, digest) and the booster in UBJ."""
        settings = {
            "model": self.name,
            "seed": self.seed,
            "columns": self.columns,
            "slope": self.platt.slope,
            "intercept": self.platt.intercept,
            "usual": self.usual,
            "recipe": asdict(self.recipe),
        }
        write_model(folder, settings, {_BOOSTER: bytes(self._serving().save_raw("ubj"))})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        try:
            recipe = Recipe(**take(settings, "recipe", dict, folder))
        except TypeError as error:
            raise corrupt(folder / SETTINGS_FILE, cls.name, str(error)) from error
        model = cls(seed=take(settings, "seed", int, folder), recipe=recipe)
        model.columns = take(settings, "columns", list, folder)
        model.usual = take(settings, "usual", list, folder)
        model.platt = Platt(*[take(settings, key, float, folder) for key in ("slope", "intercept")])
        model._booster = xgb.Booster(model_file=bytearray(read_checked(folder, settings, _BOOSTER)))
        return model
