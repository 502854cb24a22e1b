"""The baseline of risk: how often payments of such an amount were charged back."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.files import corrupt, read_settings, take, write_settings
from models.protocol import Features
from models.risk.payments import AMOUNT, IS_FRAUD, REASONS, Floats, RiskModel, labelled, numbers

SHARES = (*(step / 20 for step in range(1, 20)), 0.98, 0.99, 0.995, 0.999)
"""Quantiles of the amount between bins: twentieths, finer where amounts are large."""
PRIOR = 20.0
"""Payments of the overall rate that each bin is mixed with."""


class AmountRule(RiskModel):
    """Share of frauds by bin of amount (quantiles of the labelled payments), drawn to the overall share.

    usual: the share of the bin of the honest payments' median; the amount is a reason where its share is greater.
    """

    name: ClassVar[str] = "amount_rule"

    def __init__(self, *, threads: int = 0, seed: int = 7, device: str = "cpu") -> None:
        super().__init__(threads=threads, seed=seed, device=device)
        self.edges: list[float] = []
        self.rates: list[float] = []
        self.usual = 0.0

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Count frauds by bin; raises ValueError where there is no known fraud or no matured payment."""
        rows = labelled(features, targets, self.name)
        amount, fraud = numbers(rows, [AMOUNT])[:, 0], rows[IS_FRAUD].to_numpy(np.float64)
        edges = np.unique(np.quantile(amount, SHARES))
        which = np.searchsorted(edges, amount, side="right")
        counts = np.bincount(which, minlength=len(edges) + 1)
        frauds = np.bincount(which, weights=fraud, minlength=len(edges) + 1)
        self.edges = [float(edge) for edge in edges]
        self.rates = [float(rate) for rate in (frauds + PRIOR * fraud.mean()) / (counts + PRIOR)]
        self.usual = self.rates[int(np.searchsorted(edges, np.median(amount[fraud == 0]), side="right"))]
        return self

    def _score(self, payments: pd.DataFrame) -> tuple[Floats, NDArray[np.object_]]:
        if not self.rates:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        amount = numbers(payments, [AMOUNT])[:, 0]
        probability = np.asarray(self.rates)[np.searchsorted(self.edges, amount, side="right")]
        reasons = np.full((len(amount), len(REASONS)), None, object)
        for row in np.flatnonzero(probability > self.usual):
            share = f"{probability[row]:.2%} of payments around {amount[row]:,.2f} were charged back"
            reasons[row, 0] = f"amount: {share}; usual is {self.usual:.2%}"
        return probability, reasons

    def save(self, folder: Path) -> None:
        """Write `settings.json`."""
        learnt = {"edges": list(self.edges), "rates": list(self.rates), "usual": self.usual}
        write_settings(folder, {"model": self.name, "seed": self.seed} | learnt)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `settings.json`; raises ValueError where it is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        model = cls(seed=take(settings, "seed", int, folder))
        model.edges, model.rates = take(settings, "edges", list, folder), take(settings, "rates", list, folder)
        model.usual = take(settings, "usual", float, folder)
        if len(model.rates) != len(model.edges) + 1:
            raise corrupt(folder, cls.name, f"found {len(model.edges)} edges and {len(model.rates)} rates")
        return model
