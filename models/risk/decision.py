"""Accept, review or block: the cheapest for each payment, within what people can review in a night."""

from __future__ import annotations

import numpy as np
import pandas as pd

ACCEPT, REVIEW, BLOCK = "accept", "review", "block"


def decide(scored: pd.DataFrame, *, review_cost: float, block_cost: float, reviews_per_night: int) -> pd.DataFrame:
    """`scored` (payment_id, amount, fraud_probability, ...) with expected_loss, decision and review_rank.

    Accepting costs probability x amount (the expected loss), blocking block_cost where the payment was honest, a
    review review_cost, after which the right thing is done. What a review saves on the cheaper of the other two
    ranks it; the first reviews_per_night that save anything are reviewed (ties by payment_id, ranks from 1).
    Raises ValueError where a cost is negative or a probability is none.
    """
    if min(review_cost, block_cost, reviews_per_night) < 0:
        raise ValueError(
            f"review_cost is {review_cost}, block_cost {block_cost}, reviews_per_night {reviews_per_night}: "
            "expected 0 or more for all"
        )
    probability = scored["fraud_probability"].to_numpy(np.float64)
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("found a fraud_probability outside [0, 1] or none at all, expected one for every payment")
    loss = probability * np.maximum(scored["amount"].to_numpy(np.float64), 0.0)
    blocking = (1.0 - probability) * block_cost
    saving = np.minimum(loss, blocking) - review_cost
    order = np.lexsort([scored["payment_id"].to_numpy(), -saving])
    reviewed = order[saving[order] > 0][:reviews_per_night]
    decision = np.where(blocking < loss, BLOCK, ACCEPT).astype(object)
    decision[reviewed] = REVIEW
    rank = pd.array([pd.NA] * len(scored), dtype="Int64")
    rank[reviewed] = np.arange(1, len(reviewed) + 1)
    return scored.assign(
        expected_loss=loss, decision=pd.Series(decision, index=scored.index, dtype="str"), review_rank=rank
    )
