"""Risk metrics as sums by entity, so that `models.bootstrap` and the gate take them as they take all others.

Input everywhere: `judged` with fraud_probability, is_fraud and an entity (customer_id, or payment_id where it is
null): rows whose label has matured. Average precision and ROC AUC are means over the frauds of a figure that each
fraud has (the precision at its place, the share of honest payments below it); intervals come from resampling entities
with those places held. Of average precision over all entities, what each payment does to the places of others is
in them too, to the first order (the infinitesimal jackknife, Efron 1982): the gate decides by it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.metrics import DENOMINATOR, INFLUENCE, NUMERATOR
from models.risk.payments import IS_FRAUD, IS_MATURE, KEY, PROBABILITY

Floats = NDArray[np.float64]
BINS = 20
_TINY = 1e-12


def with_labels(predictions: pd.DataFrame, payments: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Predictions whose label has matured, with is_fraud, day (of paid_at) and entity."""
    known = targets.loc[targets[IS_MATURE].astype(bool), [KEY, IS_FRAUD]]
    judged = predictions[[KEY, PROBABILITY]].merge(known, on=KEY, how="inner", validate="one_to_one")
    who = payments[[KEY, "paid_at"]].assign(entity=entities(payments))
    judged = judged.merge(who, on=KEY, how="inner", validate="one_to_one")
    day = pd.to_datetime(judged["paid_at"]).dt.floor("D")
    return judged.assign(is_fraud=judged[IS_FRAUD].astype(bool), day=day)


def entities(payments: pd.DataFrame) -> pd.Series:
    """Who paid each payment: customer_id, and payment_id where it is null or no column."""
    own = payments[KEY].astype(object)
    known = payments["customer_id"].astype(object) if "customer_id" in payments.columns else own
    return known.where(known.notna(), own).astype(str)


def average_precision(judged: pd.DataFrame) -> pd.DataFrame:
    """Mean over the frauds of the precision at each one's probability (equal probabilities are one place).

    `influence` is the derivative of the sum of precisions by the entity's weight, less its own frauds' precisions.
    """
    score, fraud = _columns(judged)
    order = np.argsort(-score, kind="stable")
    last = np.searchsorted(-score[order], -score, side="right")  # [n] rows with this probability or more
    found = np.concatenate([[0.0], np.cumsum(fraud[order])])[last]
    precision = found / np.maximum(last, 1)
    below = np.searchsorted(
        -score[order], -score, side="left"
    )  # [n] first place of those with this probability or less
    moved = fraud * _from(fraud / np.maximum(last, 1), order)[below]
    moved -= _from(fraud * precision / np.maximum(last, 1), order)[below]
    summed = _by_entity(judged["entity"], precision * fraud, fraud)
    return summed.assign(**{INFLUENCE: _by_entity(judged["entity"], moved, fraud)[NUMERATOR]})


def _from(values: Floats, order: NDArray[np.intp]) -> Floats:
    """[n + 1] sums of values from each place of the order on."""
    return np.concatenate([np.cumsum(values[order][::-1])[::-1], [0.0]])


def roc_auc(judged: pd.DataFrame) -> pd.DataFrame:
    """Mean over the frauds of the share of honest payments with a lower probability; ties count half."""
    score, fraud = _columns(judged)
    honest = np.sort(score[fraud == 0])
    below = np.searchsorted(honest, score, side="left") + np.searchsorted(honest, score, side="right")
    return _by_entity(judged["entity"], below / 2.0 / max(len(honest), 1) * fraud, fraud)


def customer_precision_at_k(judged: pd.DataFrame, k: int) -> pd.DataFrame:
    """Share of customers with a fraud that day among each day's k of the greatest probability (CardP@k)."""
    if k < 1:
        raise ValueError(f"k is {k}, expected at least 1")
    daily = judged.groupby(["day", "entity"], sort=True)[[PROBABILITY, "is_fraud"]].max().reset_index()
    daily = daily.sort_values(["day", PROBABILITY, "entity"], ascending=[True, False, True])
    first = daily[daily.groupby("day").cumcount() < k]
    return _by_entity(first["entity"], first["is_fraud"].to_numpy(np.float64), np.ones(len(first)))


def brier(judged: pd.DataFrame) -> pd.DataFrame:
    """Mean squared error of the probability (Brier 1950)."""
    score, fraud = _columns(judged)
    return _by_entity(judged["entity"], (score - fraud) ** 2, np.ones(len(score)))


def log_loss(judged: pd.DataFrame) -> pd.DataFrame:
    """Mean of -log of the probability given to what happened."""
    score, fraud = _columns(judged)
    given = np.clip(np.where(fraud > 0, score, 1.0 - score), _TINY, 1.0)
    return _by_entity(judged["entity"], -np.log(given), np.ones(len(score)))


def expected_calibration_error(judged: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """Mean gap between probability and share of frauds over bins of equally many payments (Naeini et al. 2015).

    The side on which each bin errs is held when entities are resampled.
    """
    score, fraud = _columns(judged)
    place = np.argsort(np.argsort(score, kind="stable"), kind="stable")
    which = place * bins // max(len(score), 1)
    side = np.sign(np.bincount(which, weights=score - fraud, minlength=bins))
    return _by_entity(judged["entity"], (score - fraud) * side[which], np.ones(len(score)))


def _columns(judged: pd.DataFrame) -> tuple[Floats, Floats]:
    return judged[PROBABILITY].to_numpy(np.float64), judged["is_fraud"].to_numpy(np.float64)


def _by_entity(entity: pd.Series, above: Floats, below: Floats) -> pd.DataFrame:
    frame = pd.DataFrame({NUMERATOR: above, DENOMINATOR: below, "entity": entity.to_numpy()})
    return frame.groupby("entity", sort=True)[[NUMERATOR, DENOMINATOR]].sum()
