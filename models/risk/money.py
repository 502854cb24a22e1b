"""What decisions cost and saved once it is known which payments were frauds, by night, and whom they stopped.

Accepting a fraud costs its amount, blocking an honest payment block_cost, each review review_cost (what it finds is
right). Input everywhere: `decided`, payments whose label has matured, with decision, amount, is_fraud, entity and day.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.metrics import DENOMINATOR, NUMERATOR
from models.risk.decision import ACCEPT, BLOCK, DECISION, REVIEW, decide
from models.risk.payments import AMOUNT, IS_FRAUD, KEY

REVIEWS = (0, 5, 10, 25, 50, 100, 200)
"""Reviews a night at which the money that decisions save is told."""
NIGHT = "day"
Floats = NDArray[np.float64]


def decide_nights(
    judged: pd.DataFrame, payments: pd.DataFrame, *, review_cost: float, block_cost: float, reviews: int
) -> pd.DataFrame:
    """`judged` (of `models.risk.metrics.with_labels`) decided night by night, with so many reviews in each."""
    rows = judged.merge(payments[[KEY, AMOUNT]], on=KEY, how="inner", validate="one_to_one")
    return decide(rows, review_cost=review_cost, block_cost=block_cost, reviews_per_night=reviews, night=NIGHT)


def cost_per_night(decided: pd.DataFrame, *, review_cost: float, block_cost: float) -> pd.DataFrame:
    """Money that the decisions of a night cost, mean over nights; the entity is the night."""
    return _by_night(decided, _cost(decided, review_cost, block_cost))


def saved_money(decided: pd.DataFrame, *, review_cost: float, block_cost: float) -> pd.DataFrame:
    """Money a night that the decisions saved against accepting everything; the entity is the night."""
    return _by_night(decided, _accepted(decided) - _cost(decided, review_cost, block_cost))


def false_positive_rate(decided: pd.DataFrame) -> pd.DataFrame:
    """Share of honest payments that were reviewed or blocked, by who paid."""
    honest = ~decided[IS_FRAUD].to_numpy(bool)
    stopped = honest & (decided[DECISION] != ACCEPT).to_numpy(bool)
    frame = pd.DataFrame({NUMERATOR: stopped, DENOMINATOR: honest, "entity": decided["entity"].to_numpy()})
    return frame.groupby("entity", sort=True)[[NUMERATOR, DENOMINATOR]].sum().astype(np.float64)


def _accepted(decided: pd.DataFrame) -> Floats:
    """[n] what each payment costs if it is accepted."""
    return np.where(decided[IS_FRAUD].to_numpy(bool), np.maximum(decided[AMOUNT].to_numpy(np.float64), 0.0), 0.0)


def _cost(decided: pd.DataFrame, review_cost: float, block_cost: float) -> Floats:
    """[n] what the decision on each payment cost."""
    decision, honest = decided[DECISION].to_numpy(object), ~decided[IS_FRAUD].to_numpy(bool)
    reviewed = np.where(decision == REVIEW, review_cost, np.where((decision == BLOCK) & honest, block_cost, 0.0))
    return np.where(decision == ACCEPT, _accepted(decided), reviewed)


def _by_night(decided: pd.DataFrame, money: Floats) -> pd.DataFrame:
    night = decided[NIGHT].dt.strftime("%Y-%m-%d").to_numpy()
    frame = pd.DataFrame({NUMERATOR: money, "entity": night})
    return frame.groupby("entity", sort=True).sum().assign(**{DENOMINATOR: 1.0})
