"""The frames of the support models: tickets with their text, and what they turned out to be about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.protocol import Features
from models.support.urgency import decide_urgency

TICKETS = "tickets"
KEY, TEXT, OPENED_AT, INTENT, URGENCY, KNOWN = "ticket_id", "text", "opened_at", "intent", "urgency", "is_known"
FEWEST = 50
"""Resolved tickets under which a model refuses."""
LATER_SHARE = 0.25
"""Share of the resolved tickets, the latest, that calibrate and set the threshold."""
LEAST_PROBABILITY = 0.5
Z_95 = 1.645
Floats = NDArray[np.float64]


class Guess(NamedTuple):
    """What the tickets are about, each [n].

    intent, and its probability if it is one of those known; urgency of the model (None: no model); certainty that the
    intent is right though the ticket may be of an unseen kind (None: the probability).
    """

    intent: NDArray[Any]
    probability: Floats
    urgency: NDArray[Any] | None = None
    certainty: Floats | None = None

    @property
    def certain(self) -> Floats:
        """[n] what decides whether a person looks."""
        return self.probability if self.certainty is None else self.certainty


class SupportModel(ABC):
    """Intent and urgency of tickets, and whether a person must look.

    automatic_accuracy: share of right intents that tickets without a person must reach. seed: of any sampling.
    threshold: the certainty from which on no person is needed, set on later tickets; above 1: always.
    """

    name: ClassVar[str]

    def __init__(self, *, automatic_accuracy: float = 0.95, seed: int = 7) -> None:
        if not 0 < automatic_accuracy <= 1:
            raise ValueError(f"automatic_accuracy is {automatic_accuracy}, expected above 0 and at most 1")
        self.automatic_accuracy = automatic_accuracy
        self.seed = seed
        self.threshold = 2.0

    @abstractmethod
    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from `tickets` and targets (ticket_id, intent, urgency, is_known)."""

    def predict(self, features: Features) -> pd.DataFrame:
        """ticket_id, intent, intent_probability, urgency, urgency_reason (or null), needs_human, by ticket_id."""
        tickets = features[TICKETS].sort_values(KEY, ignore_index=True)
        guess = self.guess(tickets)
        urgency, reason = decide_urgency(tickets, guess.urgency)
        return pd.DataFrame(
            {
                KEY: tickets[KEY],
                INTENT: pd.Series(guess.intent, dtype="str"),
                "intent_probability": guess.probability.astype(np.float64),
                URGENCY: pd.Series(urgency, dtype="str"),
                "urgency_reason": pd.Series(reason, dtype="str"),
                "needs_human": guess.certain < self.threshold,
            }
        )

    @abstractmethod
    def guess(self, tickets: pd.DataFrame) -> Guess:
        """What the tickets are about, and how certain that is."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model's files."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""


def resolved(features: Features, targets: pd.DataFrame, model: str) -> pd.DataFrame:
    """The tickets whose intent is known, in the order of opened_at.

    Raises ValueError where there are fewer than 50, or all are about the same.
    """
    known = targets[targets[KNOWN].astype(bool) & targets[INTENT].notna()]
    columns = [KEY, INTENT, URGENCY]
    tickets = features[TICKETS]
    tickets = tickets.drop(columns=[name for name in columns[1:] if name in tickets.columns])
    rows = tickets.merge(known[columns], on=KEY, how="inner", validate="one_to_one")
    if len(rows) < FEWEST or rows[INTENT].nunique() < 2:
        raise ValueError(
            f"too little data to train {model}: found {len(rows)} resolved tickets of "
            f"{rows[INTENT].nunique()} intents, expected {FEWEST} of 2"
        )
    return rows.sort_values([OPENED_AT, KEY], ignore_index=True)


def later(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """[n] the latest quarter."""
    return np.arange(len(rows)) >= round((1.0 - LATER_SHARE) * len(rows))


def texts(tickets: pd.DataFrame) -> list[str]:
    """[n] texts, empty where null."""
    return [text if isinstance(text, str) else "" for text in tickets[TEXT]]


def threshold_of(
    probability: Floats, is_right: NDArray[np.bool_], accuracy: float, weight: Floats | None = None
) -> float:
    """The lowest probability, of .5 or more, from which on `accuracy` of the intents are right; 2 where none is.

    Beyond doubt: the lower end of the one-sided 95% interval (Wilson 1927) must reach it. weight: of each ticket, 1
    by default.
    """
    order = np.argsort(-probability, kind="stable")
    weights = np.ones(len(order)) if weight is None else weight[order]
    count = np.cumsum(weights)
    share, doubt = np.cumsum(is_right[order] * weights) / count, Z_95**2 / count
    share = (share + doubt / 2 - np.sqrt(doubt * (share * (1 - share) + doubt / 4))) / (1 + doubt)
    ends = np.append(np.diff(probability[order]) != 0, True)  # equal probabilities stay together
    good = np.flatnonzero((share >= accuracy) & ends & (probability[order] >= LEAST_PROBABILITY))
    return float(probability[order][good[-1]]) if len(good) else 2.0
