"""The trees of the global demand model: how they are grown, and on what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost as xgb

from models.demand.drawing import Rows
from models.demand.history import Floats

LEVELS = (0.1, 0.5, 0.9)
ENDS = (LEVELS[0], LEVELS[-1])
TREES = {"quantiles": len(LEVELS), "root": 1, "mean": 1}
"""Values that each kind of trees says."""


@dataclass(frozen=True)
class Recipe:
    """How the trees are grown; found on cut-offs before those reported (docs/experiments.md)."""

    rounds: int = 100
    """Boosting rounds; the quantile model grows three trees a round."""
    learning_rate: float = 0.1
    max_depth: int = 6
    min_child_weight: float = 20.0
    """Smallest sum of hessians in a leaf: for quantiles that is the sum of weights, whose mean is 1."""
    column_share: float = 0.5
    """Share of the features that each tree sees."""
    max_bin: int = 64
    root_rounds: int = 150
    """Rounds of the trees that learn the root of demand; squared error is fast, so they are more, deeper and finer."""
    root_learning_rate: float = 0.06
    root_depth: int = 8
    root_row_share: float = 0.7
    """Share of the rows that each of them sees."""
    root_max_bin: int = 256
    max_rows: int = 100_000
    """Rows drawn for training; the horizons of one product overlap, so more adds little."""
    weight_power: float = 0.5
    """A row weighs level ** power: 1 would judge units as WAPE does, 0 every product alike."""
    calibrated: int = 2
    """Horizons before the night whose cut-offs calibrate the band; 0 leaves it as the trees say."""


def grown(
    kinds: Iterable[str], rows: Rows, recipe: Recipe, threads: int, seed: int, device: str
) -> dict[str, xgb.Booster]:
    """The trees of each kind in TREES, grown on the rows."""
    coarse, found = _matrix(rows, rows.labels, recipe, recipe.max_bin, threads), {}
    for kind in kinds:
        is_root = kind == "root"
        matrix = _matrix(rows, np.sqrt(rows.labels), recipe, recipe.root_max_bin, threads) if is_root else coarse
        parameters = _parameters(kind, recipe) | {"nthread": threads or None, "seed": seed, "device": device}
        found[kind] = xgb.train(parameters, matrix, recipe.root_rounds if is_root else recipe.rounds)
    return found


def _matrix(rows: Rows, labels: Floats, recipe: Recipe, bins: int, threads: int) -> xgb.QuantileDMatrix:
    weights = rows.levels**recipe.weight_power
    weights = weights / weights.mean()
    return xgb.QuantileDMatrix(rows.features, labels, weight=weights, max_bin=bins, nthread=threads or None)


def _parameters(kind: str, recipe: Recipe) -> dict[str, Any]:
    common: dict[str, Any] = {
        "tree_method": "hist",
        "learning_rate": recipe.learning_rate,
        "max_depth": recipe.max_depth,
        "min_child_weight": recipe.min_child_weight,
        "colsample_bytree": recipe.column_share,
        "max_bin": recipe.max_bin,
    }
    if kind == "mean":
        return common | {"objective": "count:poisson", "base_score": 1.0}
    if kind == "root":
        deeper = {"max_depth": recipe.root_depth, "subsample": recipe.root_row_share, "max_bin": recipe.root_max_bin}
        return common | deeper | {"objective": "reg:squarederror", "learning_rate": recipe.root_learning_rate}
    return common | {"objective": "reg:quantileerror", "quantile_alpha": list(LEVELS)}
