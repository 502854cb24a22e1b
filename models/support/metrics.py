"""Support metrics as sums by ticket, so that `models.bootstrap` and the gate take them as they take all others.

Input everywhere: `judged`, from `with_labels`: predictions of tickets whose intent is known by now.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.metrics import DENOMINATOR, NUMERATOR
from models.support.tickets import INTENT, KEY, KNOWN, URGENCY


def with_labels(predictions: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Predictions of the tickets that are resolved, with true_intent and true_urgency (nullable)."""
    known = targets.loc[targets[KNOWN].astype(bool) & targets[INTENT].notna(), [KEY, INTENT, URGENCY]]
    known = known.rename(columns={INTENT: "true_intent", URGENCY: "true_urgency"})
    return predictions.merge(known, on=KEY, how="inner", validate="one_to_one")


def accuracy(judged: pd.DataFrame) -> pd.DataFrame:
    """Share of tickets with the right intent."""
    return _by_ticket(judged, _is_right(judged), np.ones(len(judged)))


def urgency_accuracy(judged: pd.DataFrame) -> pd.DataFrame:
    """Share with the right urgency, of the tickets that have one."""
    known = judged[judged["true_urgency"].notna()]
    right = (known[URGENCY] == known["true_urgency"]).to_numpy(np.float64)
    return _by_ticket(known, right, np.ones(len(known)))


def macro_f1(judged: pd.DataFrame) -> pd.DataFrame:
    """Mean F1 over the intents that occur; each intent's counts are held when tickets are resampled."""
    intents = pd.Index(judged["true_intent"].astype(object)).unique()
    true = intents.get_indexer(judged["true_intent"].astype(object))
    guess = intents.get_indexer(judged[INTENT].astype(object))  # -1: an intent that does not occur
    both = np.bincount(true, minlength=len(intents)) + np.bincount(guess[guess >= 0], minlength=len(intents))
    share = _is_right(judged) * 2.0 / np.maximum(both[true], 1) / max(len(intents), 1)
    return _by_ticket(judged, share, np.full(len(judged), 1.0 / max(len(judged), 1)))


def automatic_share(judged: pd.DataFrame) -> pd.DataFrame:
    """Share of tickets that no person needs to look at: the coverage at the accuracy that the threshold was set for."""
    return _by_ticket(judged, (~judged["needs_human"]).to_numpy(np.float64), np.ones(len(judged)))


def automatic_accuracy(judged: pd.DataFrame) -> pd.DataFrame:
    """Share of right intents among the tickets that no person needs to look at."""
    alone = (~judged["needs_human"]).to_numpy(np.float64)
    return _by_ticket(judged, _is_right(judged) * alone, alone)


def _is_right(judged: pd.DataFrame) -> NDArray[np.float64]:
    return np.asarray(judged[INTENT].astype(object) == judged["true_intent"].astype(object), dtype=np.float64)


def _by_ticket(judged: pd.DataFrame, above: NDArray[np.float64], below: NDArray[np.float64]) -> pd.DataFrame:
    frame = pd.DataFrame({NUMERATOR: above, DENOMINATOR: below, "entity": judged[KEY].to_numpy()})
    return frame.groupby("entity", sort=True)[[NUMERATOR, DENOMINATOR]].sum()
