"""What an output is to the pipelines: its contestants, features, metrics and tables. One line of wiring each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from importlib import import_module
from typing import Any, Protocol

import pandas as pd

from models.protocol import Features, Model
from pipelines.errors import UsageFault
from pipelines.home import Home

Measures = dict[str, pd.DataFrame]  # metric -> numerator and denominator per entity, as models.metrics gives them
Tables = dict[str, pd.DataFrame]  # published table -> its rows, without release_id and as_of


class Output(Protocol):
    """One of the decisions that a night makes."""

    name: str
    metric: str  # what the gate decides on
    higher_is_better: bool
    figures: tuple[str, ...]  # the metrics it is judged by, `metric` first
    features: Mapping[str, str]  # frame of the model -> table of the snapshot
    targets: str  # table of the training snapshot

    def contestants(self) -> tuple[type[Model], ...]:
        """The models that compete, the baseline first."""

    def arguments(self, home: Home) -> dict[str, Any]:
        """What a contestant is built with."""

    def label(self, home: Home, metric: str) -> str:
        """The metric's name where figures are compared, like ndcg_at_20."""

    def measure(self, home: Home, predictions: pd.DataFrame, features: Features, truth: pd.DataFrame) -> Measures:
        """How good predictions at one cut-off were, per entity."""

    def tables(self, home: Home, as_of: date, model: Model, features: Features, version: str) -> Tables:
        """Tonight's published tables."""

    def unserved(self, features: Features, tables: Tables) -> int:
        """How many of those the output is for have no row: counted, for the audit."""


OUTPUTS: dict[str, str] = {
    "recommendations": "pipelines.scoring.recommendations:RecommendationsOutput",
    "demand": "pipelines.scoring.demand:DemandOutput",
}


def output_of(name: str) -> Output:
    """The output of that name.

    Raises:
        UsageFault: there is none.
    """
    if name not in OUTPUTS:
        raise UsageFault(f"there is no output {name}", f"the outputs are {', '.join(OUTPUTS)}")
    module, class_name = OUTPUTS[name].split(":")
    found: Output = getattr(import_module(module), class_name)()
    return found


def features_of(output: Output, frames: Mapping[str, pd.DataFrame], cutoffs: list[date]) -> dict[str, pd.DataFrame]:
    """The output's feature frames, only the rows of these cut-offs."""
    wanted = pd.to_datetime(pd.Series(cutoffs, dtype="object"))
    return {
        name: frames[table][pd.to_datetime(frames[table]["as_of"]).isin(wanted)].reset_index(drop=True)
        for name, table in output.features.items()
    }
