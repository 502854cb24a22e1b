"""What every model class looks like to the pipelines: the one protocol of this package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol, Self

import pandas as pd

Features = Mapping[str, pd.DataFrame]
"""Feature frames by name; each carries `as_of` (several cut-offs to train, one to score)."""


class Model(Protocol):
    """A model that learns from frames, predicts frames, and is stored without pickle."""

    name: ClassVar[str]
    """What the champion's record calls it, e.g. "xgboost_quantiles"."""

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from past cut-offs; `targets.known_as_of` is the date up to which outcomes are known.

        Raises ValueError("too little data ...") when there is not enough to learn from.
        """
        ...

    def predict(self, features: Features) -> pd.DataFrame:
        """Predictions for every row in scope, sorted by their key."""
        ...

    def save(self, folder: Path) -> None:
        """Write the model's files into `folder`; the same model gives the same bytes."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""
        ...
