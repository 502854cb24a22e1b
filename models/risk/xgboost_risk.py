"""Gradient boosting on the payments' features, calibrated on a later window, with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from models.files import SETTINGS_FILE, corrupt, read_checked, read_settings, take, write_model
from models.protocol import Features
from models.risk.calibration import Calibration, Platt, Window, fit_calibration, reliability
from models.risk.payments import (
    IS_FRAUD,
    KEY,
    PAID_AT,
    PAYMENTS,
    PROBABILITY,
    Floats,
    RiskModel,
    labelled,
    numbers,
    numeric_columns,
)
from models.risk.reasons import Texts, reasons_of, usual_of

FEWEST_FRAUDS = 20
"""Known frauds under which the model refuses."""
_BOOSTER = "booster.ubj"


@dataclass(frozen=True)
class Recipe:
    """How the trees are grown; found on days before those reported (docs/experiments.md)."""

    rounds: int = 200
    """Boosting rounds, one tree each."""
    learning_rate: float = 0.05
    max_depth: int = 6
    min_child_weight: float = 5.0
    """Smallest sum of hessians in a leaf; they start at 1/4 a row, since the intercept is even odds."""
    l2: float = 10.0
    """Penalty on the square of a leaf's value."""
    row_share: float = 1.0
    """Share of the rows that each tree sees."""
    column_share: float = 0.8
    """Share of the features that each tree sees."""
    max_bin: int = 256
    half_life_days: float | None = None
    """Days after which a payment weighs half; null: all weigh the same."""
    later_share: float = 0.1
    """Share of the payments, the latest, that calibrate; as many before them choose how."""


class XGBoostRisk(RiskModel):
    """Binary logistic trees by histograms (Chen and Guestrin 2016), then a calibration.

    It is chosen and fitted on the latest two tenths of the payments, with trees that have not seen them; the trees
    that serve are grown on all. Payments are never weighted by class: that ruins calibration.

    monotone: features that may only raise the probability, those that there are.
    """

    name: ClassVar[str] = "xgboost_risk"

    def __init__(
        self,
        *,
        threads: int = 0,
        seed: int = 7,
        device: str = "cpu",
        recipe: Recipe | None = None,
        monotone: Sequence[str] = (),
    ) -> None:
        super().__init__(threads=threads, seed=seed, device=device)
        self.recipe = recipe or Recipe()
        self.monotone = tuple(monotone)
        self.columns: list[str] = []
        self.usual: list[float | None] = []
        self.calibration = Calibration()
        self.losses: dict[str, float] = {}
        """Mean log loss of each kind of calibration on the window that chose among them."""
        self.reliability: list[list[float]] = []
        """Of the latest payments, by trees that had not seen them: probability, share of frauds, payments, by bins."""
        self.base_rates: dict[str, float] = {}
        """Share of frauds by 28 days, named by their first."""
        self._booster: xgb.Booster | None = None

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from matured payments; raises ValueError where there are under 20 frauds."""
        rows = labelled(features, targets, self.name)
        frauds = int(rows[IS_FRAUD].sum())
        if frauds < FEWEST_FRAUDS or len(rows) - frauds < FEWEST_FRAUDS:
            raise ValueError(
                f"too little data to train {self.name}: found {frauds} known frauds among {len(rows)} labelled "
                f"payments, expected {FEWEST_FRAUDS} of each kind"
            )
        self.columns = numeric_columns(rows)
        design, fraud, weight = numbers(rows, self.columns), rows[IS_FRAUD].to_numpy(bool), self._weights(rows)
        self.calibration, self.losses = self._calibrate(design, fraud, weight)
        self._booster = self._grow(design, fraud, weight)
        self.base_rates = _base_rates(rows)
        self.usual = [None if np.isnan(value) else float(value) for value in usual_of(design, fraud)]
        return self

    def _calibrate(
        self, design: Floats, fraud: NDArray[np.bool_], weight: Floats
    ) -> tuple[Calibration, dict[str, float]]:
        """On two windows, each scored by trees that were grown on what came before it."""
        share, windows, self.reliability = self.recipe.later_share, [], []
        for start in (1.0 - 2.0 * share, 1.0 - share):
            first, last = round(start * len(fraud)), round((start + share) * len(fraud))
            if fraud[:first].all() or not fraud[:first].any():
                return Calibration(), {}
            self._booster = self._grow(design[:first], fraud[:first], weight[:first])
            windows.append(Window(self._margins(design[first:last]), fraud[first:last]))
        self.reliability = reliability(windows)
        return fit_calibration(*windows)

    def _weights(self, rows: pd.DataFrame) -> Floats:
        """[n] what each payment weighs: half as much after each half-life."""
        if self.recipe.half_life_days is None:
            return np.ones(len(rows))
        age = (rows[PAID_AT].max() - rows[PAID_AT]) / pd.Timedelta(days=1)
        return np.asarray(np.exp2(-age.to_numpy(np.float64) / self.recipe.half_life_days))

    def _grow(self, design: Floats, fraud: NDArray[np.bool_], weight: Floats) -> xgb.Booster:
        recipe, threads = self.recipe, self.threads or None
        matrix = xgb.QuantileDMatrix(design, fraud, weight=weight, max_bin=recipe.max_bin, nthread=threads)
        parameters = {
            "objective": "binary:logistic",
            "base_score": 0.5,  # even odds: from the rare class's own rate, hessians are too small for any leaf
            "tree_method": "hist",
            "device": self.device,
            "nthread": threads,
            "seed": self.seed,
            "learning_rate": recipe.learning_rate,
            "max_depth": recipe.max_depth,
            "min_child_weight": recipe.min_child_weight,
            "lambda": recipe.l2,
            "monotone_constraints": tuple(int(name in self.monotone) for name in self.columns),
            "subsample": recipe.row_share,
            "colsample_bytree": recipe.column_share,
            "max_bin": recipe.max_bin,
        }
        return xgb.train(parameters, matrix, recipe.rounds)

    def _score(self, payments: pd.DataFrame) -> tuple[Floats, Texts]:
        values = numbers(payments, self._trained().columns)
        usual = np.array([np.nan if value is None else value for value in self.usual])
        reasons = reasons_of(self.columns, values, usual, self._contributions, self._margins)
        return self.calibration.probability(self._margins(values)) if len(values) else np.zeros(0), reasons

    def probabilities(self, features: Features) -> pd.DataFrame:
        """payment_id, fraud_probability and uncalibrated (what the trees alone say), by payment_id; no reasons."""
        payments = features[PAYMENTS].sort_values(KEY, ignore_index=True)
        margins = self._margins(numbers(payments, self._trained().columns))
        frame = pd.DataFrame({KEY: payments[KEY], PROBABILITY: self.calibration.probability(margins)})
        return frame.assign(uncalibrated=Calibration().probability(margins))

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
            "monotone": list(self.monotone),
            "usual": self.usual,
            "calibration": asdict(self.calibration) | {"platt": list(self.calibration.platt)},
            "losses": self.losses,
            "reliability": self.reliability,
            "base_rates": self.base_rates,
            "recipe": asdict(self.recipe),
        }
        write_model(folder, settings, {_BOOSTER: bytes(self._serving().save_raw("ubj"))})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        told = take(settings, "calibration", dict, folder)
        try:
            recipe = Recipe(**take(settings, "recipe", dict, folder))
            calibration = Calibration(
                told["kind"], Platt(*told["platt"]), tuple(told["margins"]), tuple(told["probabilities"])
            )
        except (TypeError, KeyError) as error:
            raise corrupt(folder / SETTINGS_FILE, cls.name, str(error)) from error
        seed, monotone = take(settings, "seed", int, folder), take(settings, "monotone", list, folder)
        model = cls(seed=seed, recipe=recipe, monotone=monotone)
        model.columns, model.losses = take(settings, "columns", list, folder), take(settings, "losses", dict, folder)
        model.usual, model.calibration = take(settings, "usual", list, folder), calibration
        model.reliability = take(settings, "reliability", list, folder)
        model.base_rates = take(settings, "base_rates", dict, folder)
        model._booster = xgb.Booster(model_file=bytearray(read_checked(folder, settings, _BOOSTER)))
        return model


def _base_rates(rows: pd.DataFrame) -> dict[str, float]:
    shares = rows.set_index(PAID_AT)[IS_FRAUD].resample("28D").mean().dropna()
    return {str(start.date()): float(share) for start, share in shares.items()}
