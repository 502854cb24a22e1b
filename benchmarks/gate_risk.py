"""What the gate is tried on, payments: the planted probability of fraud with noise of each model's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from benchmarks.gate_worlds import Tables, cutoffs_before
from models.risk import metrics, money
from models.risk.payments import IS_FRAUD, IS_MATURE, KEY, PROBABILITY
from pipelines.scoring.outputs import Measures
from pipelines.scoring.risk import COST, STOPPED
from pipelines.sections import Risk
from pipelines.training.cutoffs import WINDOW_DAYS

NOISE = 1.0
"""Standard deviation of a model's error in log-odds."""


@dataclass(frozen=True)
class Night28:
    """The payments of one window, by night, with what became of them."""

    cutoff: date
    payments: pd.DataFrame
    targets: pd.DataFrame
    members: pd.DataFrame

    def measures(self, random: np.random.Generator | None, with_money: bool) -> Measures:
        """A model with noise of its own; without a generator the amount alone, as the baseline has it."""
        paid = self.payments
        if random is None:
            probability = 0.02 * paid["amount"].rank(pct=True).to_numpy(np.float64)
        else:
            probability = expit(logit(paid["fraud_probability"]) + NOISE * random.standard_normal(len(paid)))
        guessed = pd.DataFrame({KEY: paid[KEY].to_numpy(object), PROBABILITY: probability})
        judged = metrics.with_labels(guessed, paid, self.targets)
        found = {"average_precision": metrics.average_precision(judged)}
        if with_money:
            risk = Risk()
            costs = {"review_cost": risk.review_cost, "block_cost": risk.block_cost}
            decided = money.decide_nights(judged, paid, reviews=risk.reviews_per_night, **costs)
            found |= {STOPPED: money.false_positive_rate(decided), COST: money.cost_per_night(decided, **costs)}
        return found


def risk(tables: Tables, truth: pd.DataFrame) -> list[Night28]:
    """Payers by average precision, and whom the decisions stop and what they cost."""
    paid = tables["payments"].select([KEY, "customer_id", "paid_at", "amount", "billing_country"]).to_pandas()
    paid = paid.merge(truth[[KEY, "fraud_probability", "is_fraud"]], on=KEY, validate="one_to_one")
    paid = paid.assign(amount=paid["amount"].astype(np.float64)).sort_values("paid_at", ignore_index=True)
    before = paid.groupby("customer_id").cumcount().where(paid["customer_id"].notna())
    paid["customer"] = np.where(before.isna(), "guest", np.where(before > 0, "known", "new"))
    bands = pd.qcut(paid["amount"], 3, labels=["low", "middle", "high"]).astype(object)
    paid["amount_band"] = bands
    found = []
    for cutoff in cutoffs_before(paid["paid_at"].max().normalize() - pd.Timedelta(days=45), WINDOW_DAYS):
        end = cutoff + pd.Timedelta(days=WINDOW_DAYS)
        rows = paid[(paid["paid_at"] >= cutoff) & (paid["paid_at"] < end)].reset_index(drop=True)
        targets = pd.DataFrame({KEY: rows[KEY], IS_FRAUD: rows.pop("is_fraud").astype(int), IS_MATURE: True})
        first = rows.assign(entity=metrics.entities(rows)).groupby("entity").first()
        members = first[["customer", "billing_country", "amount_band"]]
        members = members.set_axis(["customer", "country", "amount"], axis=1)
        found.append(Night28(cutoff.date(), rows, targets, members))
    return found
