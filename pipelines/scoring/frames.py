"""Which rows a model learns from, is judged on and scores: for outputs at cut-offs, and for outputs of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from models.dates import rows_of, to_days
from models.protocol import Features
from pipelines.home import Home
from pipelines.training.cutoffs import WINDOW_DAYS, Cutoffs

Frames = Mapping[str, pd.DataFrame]
"""Tables of a snapshot by name."""
Learning = tuple[Features, pd.DataFrame]
"""Features, and what came of them."""
Judged = tuple[pd.DataFrame, pd.DataFrame]
"""Predictions, and what came of them."""


class AtCutoffs:
    """Features are built at cut-offs: frames hold several, told apart by `as_of`."""

    features: Mapping[str, str]
    described: Mapping[str, str] = {}
    targets: str

    def learning(self, frames: Frames, cutoffs: Cutoffs, as_of: date) -> Learning:
        """The training cut-offs before as_of, with what was known of them at as_of and not a day later."""
        before = [cutoff for cutoff in cutoffs.training if cutoff < as_of]
        return self._at(frames, before, self.features), self._outcomes(frames, before, as_of)

    def judging(self, frames: Frames, cutoff: date, as_of: date) -> Learning:
        """One cut-off, with what came after it as known at as_of, and what tells segments apart where that is there."""
        described = {name: table for name, table in self.described.items() if table in frames}
        return self._at(frames, [cutoff], {**self.features, **described}), self._outcomes(frames, [cutoff], as_of)

    def tonight(self, frames: Frames, as_of: date) -> Features:
        """The rows of the night."""
        return self._at(frames, [as_of], self.features)

    def cutoffs_of(self, nights: Sequence[date]) -> dict[date, list[date]]:
        """Each night is a cut-off of its own."""
        return {night: [night] for night in nights}

    def as_published(self, home: Home, rows: pd.DataFrame, truth: pd.DataFrame) -> Judged:
        """The rows as they are."""
        return rows, truth

    def _at(self, frames: Frames, cutoffs: Sequence[date], tables: Mapping[str, str]) -> dict[str, pd.DataFrame]:
        return {name: _only(frames[table], _is_any(frames[table]["as_of"], cutoffs)) for name, table in tables.items()}

    def _outcomes(self, frames: Frames, cutoffs: Sequence[date], known_as_of: date) -> pd.DataFrame:
        targets = frames[self.targets]
        return _only(targets, _is_any(targets["known_as_of"], [known_as_of]) & _is_any(targets["as_of"], cutoffs))


class OfEvents:
    """Each row is an event, built as of the night that first knew it: payments and tickets."""

    features: Mapping[str, str]
    described: Mapping[str, str] = {}
    targets: str

    def learning(self, frames: Frames, cutoffs: Cutoffs, as_of: date) -> Learning:
        """All events known at as_of, with what was known of them at as_of and not a day later."""
        return self._where(frames, date.min, as_of), self._outcomes(frames, as_of)

    def judging(self, frames: Frames, cutoff: date, as_of: date) -> Learning:
        """The events of the 28 nights after a cut-off, with what became of them as known at as_of."""
        return self._where(frames, cutoff, cutoff + timedelta(days=WINDOW_DAYS)), self._outcomes(frames, as_of)

    def tonight(self, frames: Frames, as_of: date) -> Features:
        """All that the night's snapshot holds."""
        return {name: frames[table] for name, table in self.features.items()}

    def cutoffs_of(self, nights: Sequence[date]) -> dict[date, list[date]]:
        """All nights together, as after the cut-offs of a training: each has only some events."""
        return {nights[0] - timedelta(days=1): list(nights)}

    def as_published(self, home: Home, rows: pd.DataFrame, truth: pd.DataFrame) -> Judged:
        """The rows as they are."""
        return rows, truth

    def _where(self, frames: Frames, after: date, until: date) -> dict[str, pd.DataFrame]:
        found = {}
        for name, table in self.features.items():
            first_known = to_days(frames[table]["as_of"])
            is_between = (first_known > np.datetime64(after)) & (first_known <= np.datetime64(until))
            found[name] = frames[table][is_between].reset_index(drop=True)
        return found

    def _outcomes(self, frames: Frames, known_as_of: date) -> pd.DataFrame:
        targets = frames[self.targets]
        return _only(targets, _is_any(targets["known_as_of"], [known_as_of]))


def _is_any(column: pd.Series, days: Sequence[date]) -> pd.Series:
    return pd.to_datetime(column).isin(pd.to_datetime(pd.Series(list(days), dtype="object")))


def _only(frame: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    return rows_of(frame, rows.to_numpy(np.bool_))
