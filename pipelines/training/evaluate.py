"""Evaluate: every contestant fitted on what was known at a cut-off, and judged on what came after it."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from models.bootstrap import Estimate, interval
from models.protocol import Model
from pipelines.home import Home
from pipelines.scoring.outputs import Measures, Output, features_of
from pipelines.training.cutoffs import Cutoffs

Frames = Mapping[str, pd.DataFrame]


@dataclass
class Evaluation:
    """How one contestant did: per cut-off and metric, numerators and denominators per entity."""

    model: str
    measures: dict[date, Measures] = field(default_factory=dict)
    seconds: float = 0.0
    peak_mib: float = 0.0

    def pooled(self, metric: str) -> pd.DataFrame:
        """The metric over all cut-offs, one row per entity."""
        stacked = pd.concat([measures[metric] for measures in self.measures.values()])
        return stacked.groupby(level=0, sort=True).sum()

    def figure(self, metric: str, home: Home) -> Estimate:
        """The metric over all cut-offs with its interval over entities."""
        settings = home.settings
        return interval(self.pooled(metric), confidence=settings.gate.confidence, seed=settings.compute.seed)


def known_targets(output: Output, frames: Frames, known_as_of: date, cutoffs: list[date]) -> pd.DataFrame:
    """What came after these cut-offs, as it was known at a date and not a day later."""
    targets = frames[output.targets]
    rows = pd.to_datetime(targets["known_as_of"]) == pd.Timestamp(known_as_of)
    rows &= pd.to_datetime(targets["as_of"]).isin(pd.to_datetime(pd.Series(cutoffs, dtype="object")))
    return targets[rows].reset_index(drop=True)


def fit(home: Home, output: Output, kind: type[Model], frames: Frames, cutoffs: Cutoffs, as_of: date) -> Model:
    """A contestant fitted on the cut-offs before as_of, with what was known of them at as_of.

    Raises:
        ValueError: too little data to train on.
    """
    before = [cutoff for cutoff in cutoffs.training if cutoff < as_of]
    features, targets = features_of(output, frames, before), known_targets(output, frames, as_of, before)
    return kind(**output.arguments(home)).fit(features, targets)


def evaluate(
    home: Home,
    output: Output,
    kind: type[Model],
    frames: Frames,
    cutoffs: Cutoffs,
    as_of: date,
    stored: tuple[Model, date] | None = None,
) -> Evaluation:
    """A contestant on the future of every evaluation cut-off.

    It is fitted anew at each cut-off. A model already stored (with the as_of it was trained at) predicts as it is at
    the cut-offs after its training; before, only its recipe can be judged fairly.
    """
    evaluation, start = Evaluation(kind.name), time.perf_counter()
    for cutoff in cutoffs.evaluation:
        is_future = stored is not None and stored[1] <= cutoff
        model = stored[0] if stored and is_future else fit(home, output, kind, frames, cutoffs, cutoff)
        features = features_of(output, frames, [cutoff])
        truth = known_targets(output, frames, as_of, [cutoff])
        evaluation.measures[cutoff] = output.measure(home, model.predict(features), features, truth)
    evaluation.seconds = time.perf_counter() - start
    evaluation.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return evaluation
