"""Evaluate: every contestant fitted on what was known at a cut-off, and judged on what came after it."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from models.bootstrap import Estimate, interval
from models.metrics import DENOMINATOR
from models.protocol import Model
from models.shelf import Shelf
from pipelines.home import Home
from pipelines.scoring.frames import Frames
from pipelines.scoring.outputs import Measures, Output
from pipelines.training.cutoffs import Cutoffs


@dataclass
class Evaluation:
    """How one contestant did: per cut-off and metric, numerators and denominators per entity."""

    model: str
    measures: dict[date, Measures] = field(default_factory=dict)
    seconds: float = 0.0
    peak_mib: float = 0.0
    _figures: dict[str, Estimate] = field(default_factory=dict)

    def pooled(self, metric: str) -> pd.DataFrame:
        """The metric over all cut-offs, one row per entity."""
        stacked = pd.concat([measures[metric] for measures in self.measures.values()])
        return stacked.groupby(level=0, sort=True).sum()

    def figure(self, metric: str, home: Home) -> Estimate:
        """The metric over all cut-offs with its interval over entities, drawn once."""
        if metric not in self._figures:
            settings = home.settings
            confidence, seed = settings.gate.confidence, settings.compute.seed
            self._figures[metric] = interval(self.pooled(metric), confidence=confidence, seed=seed)
        return self._figures[metric]


def fit(
    home: Home,
    output: Output,
    kind: type[Model],
    frames: Frames,
    cutoffs: Cutoffs,
    as_of: date,
    shelf: Shelf | None = None,
) -> Model:
    """A contestant fitted on what was known at as_of; shelf: what the contestants share that are made of these frames.

    Raises:
        ValueError: too little data to train on.
    """
    features, targets = output.learning(frames, cutoffs, as_of)
    return _sharing(kind(**output.arguments(home, kind, as_of)), shelf).fit(features, targets)


def _sharing(model: Model, shelf: Shelf | None) -> Model:
    """The model, with the shelf where it takes one."""
    if hasattr(model, "shelf"):
        model.shelf = shelf
    return model


def evaluate(
    home: Home,
    output: Output,
    kind: type[Model],
    frames: Frames,
    cutoffs: Cutoffs,
    as_of: date,
    stored: tuple[Model, date] | None = None,
    shelf: Shelf | None = None,
) -> Evaluation:
    """A contestant on the future of every evaluation cut-off.

    It is fitted anew at each cut-off. A model already stored (with the as_of it was trained at) predicts as it is at
    the cut-offs after its training; before, only its recipe can be judged fairly.

    Raises:
        ValueError: too little data to train on, or nothing to judge by.
    """
    evaluation, start = Evaluation(kind.name), time.perf_counter()
    for cutoff in cutoffs.evaluation:
        is_future = stored is not None and stored[1] <= cutoff
        fitted = stored[0] if stored and is_future else fit(home, output, kind, frames, cutoffs, cutoff, shelf)
        model = _sharing(fitted, shelf)
        features, truth = output.judging(frames, cutoff, as_of)
        evaluation.measures[cutoff] = output.measure(home, model.predict(features), features, truth)
    if not evaluation.pooled(output.metric)[DENOMINATOR].sum():
        raise ValueError(f"nothing came after the cut-offs that {output.metric} could be measured on")
    evaluation.seconds = time.perf_counter() - start
    evaluation.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return evaluation
