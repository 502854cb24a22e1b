"""Accept, review or block: the cheapest for each payment, within what people can review in a night."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.risk.payments import AMOUNT, KEY, PROBABILITY

ACCEPT, REVIEW, BLOCK = "accept", "review", "block"
EXPECTED_LOSS, DECISION, RANK = "expected_loss", "decision", "review_rank"
Floats = NDArray[np.float64]


def decide(
    scored: pd.DataFrame, *, review_cost: float, block_cost: float, reviews_per_night: int, night: str | None = None
) -> pd.DataFrame:
    """`scored` (payment_id, amount, fraud_probability, ...) with expected_loss, decision and review_rank.

    Accepting costs probability x amount (the expected loss), blocking block_cost where the payment was honest, a
    review review_cost, after which the right thing is done. A review replaces the cheaper of the other two, and what
    it saves on that ranks it; the first reviews_per_night that save anything are reviewed (ties by payment_id, ranks
    from 1). No other choice of as many reviews costs less in expectation, nor of the first k for any k: the queue may
    end anywhere. So a payment that is almost surely fraud is blocked, not reviewed, and of those that would else be
    blocked the least probable comes first: it is the likeliest to be honest.
    night: a column; ranks and reviews are then by its value, else all rows are one night.
    Raises ValueError where a cost is negative, or a probability or an amount is none.
    """
    if min(review_cost, block_cost, reviews_per_night) < 0:
        raise ValueError(
            f"review_cost is {review_cost}, block_cost {block_cost}, reviews_per_night {reviews_per_night}: "
            "expected 0 or more for all"
        )
    probability, amount = (scored[name].to_numpy(np.float64) for name in (PROBABILITY, AMOUNT))
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("found a fraud_probability outside [0, 1] or none at all, expected one for every payment")
    if not np.isfinite(amount).all():
        raise ValueError("found an amount that is no number, expected one for every payment")
    loss = probability * np.maximum(amount, 0.0)  # a refund risks nothing
    blocking = (1.0 - probability) * block_cost
    saving = np.minimum(loss, blocking) - review_cost
    nights = np.zeros(len(scored), np.int64) if night is None else pd.factorize(scored[night], sort=True)[0]
    place = _places(saving, scored[KEY], nights)
    is_reviewed = (saving > 0) & (place <= reviews_per_night)
    decision = np.where(is_reviewed, REVIEW, np.where(blocking < loss, BLOCK, ACCEPT))
    rank = pd.Series(place, index=scored.index, dtype="Int64").where(is_reviewed)
    return scored.assign(
        **{EXPECTED_LOSS: loss, DECISION: pd.Series(decision, index=scored.index, dtype="str"), RANK: rank}
    )


def _places(saving: Floats, key: pd.Series, nights: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n] each payment's place in the queue of its night, from 1: the greatest saving first, then by key."""
    order = np.lexsort([key.to_numpy(), -saving, nights])
    first = np.searchsorted(nights[order], nights[order], side="left")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(1, len(order) + 1) - first
    return place
