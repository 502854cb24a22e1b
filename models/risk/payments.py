"""The frames of the risk models: payments with any numeric features, and what became of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.protocol import Features

PAYMENTS = "payments"
KEY, AMOUNT, PAID_AT, IS_FRAUD, IS_MATURE = "payment_id", "amount", "paid_at", "is_fraud", "is_mature"
PROBABILITY = "fraud_probability"
REASONS = ("reason_1", "reason_2", "reason_3")
Floats = NDArray[np.float64]
_NO_FEATURE = ("_id", "_at", "_on", "as_of")  # endings of keys and times
_NUMBERS = {"integer", "floating", "boolean", "decimal", "mixed-integer-float"}


class RiskModel(ABC):
    """Probability that a payment is charged back, with three reasons.

    threads: 0 takes all cores. seed: of any sampling. device: "cpu" or "cuda".
    Threads and device are not part of the model: they are not saved.
    """

    name: ClassVar[str]

    def __init__(self, *, threads: int = 0, seed: int = 7, device: str = "cpu") -> None:
        self.threads = threads
        self.seed = seed
        self.device = device

    @abstractmethod
    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from `payments` and targets (payment_id, is_fraud, is_mature)."""

    def predict(self, features: Features) -> pd.DataFrame:
        """payment_id, fraud_probability, reason_1, reason_2, reason_3 (null where there are fewer), by payment_id."""
        payments = features[PAYMENTS].sort_values(KEY, ignore_index=True)
        probability, reasons = self._score(payments)
        frame = pd.DataFrame({KEY: payments[KEY], PROBABILITY: probability.astype(np.float64)})
        told = zip(REASONS, reasons.T, strict=True)
        return frame.assign(**{name: pd.Series(list(column), index=frame.index, dtype="str") for name, column in told})

    @abstractmethod
    def _score(self, payments: pd.DataFrame) -> tuple[Floats, NDArray[np.object_]]:
        """[n] probabilities and [n, 3] reasons, null where there are fewer."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model's files."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""


def numeric_columns(payments: pd.DataFrame) -> list[str]:
    """The names of the features: every numeric or boolean column that is no key and no time, sorted."""
    labels = {IS_FRAUD, IS_MATURE}
    wanted = [name for name in payments.columns if not name.endswith(_NO_FEATURE) and name not in labels]
    return sorted(name for name in wanted if _is_numeric(payments[name]))


def _is_numeric(column: pd.Series) -> bool:
    """Whether it holds numbers, and one at least; only a column of objects is looked at value by value."""
    if _is_plain(column):
        return bool(column.notna().any())
    return pd.api.types.infer_dtype(column.astype(object), skipna=True) in _NUMBERS


def _is_plain(column: pd.Series) -> bool:
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb"


def numbers(payments: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """[n, F] values, NaN where null; raises ValueError where a column is missing."""
    missing = [name for name in columns if name not in payments.columns]
    if missing:
        raise ValueError(
            f"{PAYMENTS} lacks {', '.join(missing)}, which the model was trained on; "
            "build the features again, or train the model anew"
        )
    arrays = [_as_floats(payments[name]) for name in columns]
    return np.stack(arrays, axis=1) if arrays else np.zeros((len(payments), 0))


def _as_floats(column: pd.Series) -> Floats:
    values = column if _is_plain(column) else pd.to_numeric(column.astype(object))
    return np.asarray(values.to_numpy(np.float64, na_value=np.nan))


def labelled(features: Features, targets: pd.DataFrame, model: str) -> pd.DataFrame:
    """The payments that may be learnt from, in the order of paid_at, with is_fraud: those whose label has matured.

    A fraud that is reported earlier speaks through the features at once, but is no row: among payments of its days it
    would be alone, and whatever tells the time (a count that grows, a season) would seem to tell frauds.
    Raises ValueError where there is no fraud or no honest payment among them.
    """
    known = targets.loc[targets[IS_MATURE].astype(bool), [KEY, IS_FRAUD]]
    payments = features[PAYMENTS].drop(columns=[IS_FRAUD, IS_MATURE], errors="ignore")
    rows = payments.merge(known, on=KEY, how="inner", validate="one_to_one")
    rows = rows.assign(**{IS_FRAUD: rows[IS_FRAUD].astype(bool)})
    frauds = int(rows[IS_FRAUD].sum())
    if not 0 < frauds < len(rows):
        raise ValueError(
            f"too little data to train {model}: found {frauds} known frauds among {len(rows)} labelled payments"
        )
    return rows.sort_values([PAID_AT, KEY], ignore_index=True)
