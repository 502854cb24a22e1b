"""What an output is to the pipelines: its contestants, features, metrics and tables. One line of wiring each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from importlib import import_module
from typing import Any, Protocol

import pandas as pd

from models.protocol import Features, Model
from pipelines.errors import UsageFault
from pipelines.home import Home
from pipelines.scoring.frames import Frames, Judged, Learning
from pipelines.training.cutoffs import Cutoffs

Measures = dict[str, pd.DataFrame]  # metric -> numerator and denominator per entity, as models.metrics gives them
Tables = dict[str, pd.DataFrame]  # published table -> its rows, without release_id and as_of
Counts = dict[str, int]  # what the step's result says beside the rows of tables


class Output(Protocol):
    """One of the decisions that a night makes."""

    name: str
    metric: str  # what the gate decides on
    compared: tuple[str, ...]  # what it compares contestants on, also per segment: `metric` first
    higher_is_better: bool  # of what is compared
    guarded: tuple[str, ...]  # what is compared too but only held by the floor, as `metric` is: lower is better
    features: Mapping[str, str]  # frame of the model -> table of the snapshot
    described: Mapping[str, str]  # what only `segments` needs: as `features`, but a release made before may lack it
    facts: Mapping[str, str]  # what only tonight's tables need: frame -> table of the night's snapshot
    targets: str  # table of a snapshot: what came after
    published: str  # table of a release that holds the predictions, each row with its model_version

    def contestants(self) -> tuple[type[Model], ...]:
        """The models that compete, the baseline first."""

    def arguments(self, home: Home, kind: type[Model], as_of: date) -> dict[str, Any]:
        """What a contestant of this kind is built with, to be fitted on what was known at as_of."""

    def label(self, home: Home, metric: str) -> str:
        """The metric's name where figures are compared, like ndcg_at_20."""

    def learning(self, frames: Frames, cutoffs: Cutoffs, as_of: date) -> Learning:
        """What a model trained as of a date may learn from."""

    def judging(self, frames: Frames, cutoff: date, as_of: date) -> Learning:
        """What it is judged on from a cut-off on, with the truth as known at as_of."""

    def tonight(self, frames: Frames, as_of: date) -> Features:
        """What is scored on the night of as_of."""

    def cutoffs_of(self, nights: Sequence[date]) -> dict[date, list[date]]:
        """The cut-offs that the releases of nights in order are judged at, with the nights of each."""

    def as_published(self, home: Home, rows: pd.DataFrame, truth: pd.DataFrame) -> Judged:
        """What `measure` takes of the rows of a release, with `as_of`, and of what came after it."""

    def measure(self, home: Home, predictions: pd.DataFrame, features: Features, truth: pd.DataFrame) -> Measures:
        """How good predictions from one cut-off on were, per entity."""

    def segments(self, features: Features) -> pd.DataFrame:
        """The segments of the entities of `measure` at one cut-off, by entity: a column a kind, null where in none."""

    def tables(
        self, home: Home, as_of: date, model: Model, features: Features, facts: Features, version: str
    ) -> tuple[Tables, Counts]:
        """Tonight's published tables; `unserved` counts those the output is for who have no row, for the audit."""


OUTPUTS: dict[str, str] = {
    "recommendations": "pipelines.scoring.recommendations:RecommendationsOutput",
    "demand": "pipelines.scoring.demand:DemandOutput",
    "risk": "pipelines.scoring.risk:RiskOutput",
    "support": "pipelines.scoring.support:SupportOutput",
}


def by_segment(output: Output) -> tuple[str, ...]:
    """What contestants are compared on, on all entities and per segment."""
    return (*output.compared, *output.guarded)


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
