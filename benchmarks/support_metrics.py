"""How good guesses of intents are: right ones, out-of-scope texts told apart, risk and coverage, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.bootstrap import interval
from models.metrics import DENOMINATOR, NUMERATOR
from models.support.metrics import accuracy, macro_f1

Floats = NDArray[np.float64]
BINS = 15
"""Of calibration, of equal mass."""
KEPT = 0.95
"""Share of the right answers in scope, on validation, that the threshold of out-of-scope recall keeps."""
COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Answers:
    """Of n texts: the intent, its probability, what sorts them; automatic: no person looks (None: not set)."""

    intent: NDArray[Any]
    probability: Floats
    certainty: Floats
    automatic: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Truth:
    """The intents [n], and which of the texts are out of scope [n]: any answer to these is wrong."""

    intent: NDArray[Any]
    outside: NDArray[np.bool_]

    def right(self, answers: Answers) -> NDArray[np.bool_]:
        """[n]."""
        return np.asarray((answers.intent == self.intent) & ~self.outside, dtype=np.bool_)


def figures(
    validation: tuple[Answers, Truth], test: tuple[Answers, Truth], *, seed: int, resamples: int
) -> dict[str, Any]:
    """All metrics of the test; those of texts as [value, low, high] with 95% intervals."""
    answers, truth = test
    inside, right = ~truth.outside, truth.right(answers)
    judged = pd.DataFrame(
        {
            "ticket_id": np.arange(int(inside.sum())).astype(str),
            "intent": answers.intent[inside],
            "true_intent": truth.intent[inside],
        }
    )
    parts = {"accuracy": accuracy(judged), "macro_f1": macro_f1(judged)}
    if truth.outside.any():
        parts |= _outside(validation, test)
    if answers.automatic is not None:
        ones = np.ones(len(right))
        parts["automatic_share"] = _ratio(answers.automatic, ones)
        parts["automatic_accuracy"] = _ratio(right & answers.automatic, answers.automatic)
        parts["automatic_share_in_scope"] = _ratio(answers.automatic[inside], ones[inside])
    found: dict[str, Any] = {
        name: [round(value, 5) for value in interval(part, seed=seed, resamples=resamples)]
        for name, part in parts.items()
    }
    found["calibration_error"] = round(calibration_error(answers.probability[inside], right[inside]), 5)
    found["risk_coverage"] = {
        "in_scope": risk_coverage(answers.certainty[inside], right[inside]),
        "all": risk_coverage(answers.certainty, right),
    }
    return found


def _outside(validation: tuple[Answers, Truth], test: tuple[Answers, Truth]) -> dict[str, pd.DataFrame]:
    """Recall where 95% of validation's right answers in scope are kept, and AUROC, by out-of-scope text."""
    answers, truth = test
    threshold = np.quantile(validation[0].certainty[validation[1].right(validation[0])], 1.0 - KEPT)
    out, within = answers.certainty[truth.outside], np.sort(answers.certainty[~truth.outside])
    above = len(within) - np.searchsorted(within, out, side="right")
    equal = np.searchsorted(within, out, side="right") - np.searchsorted(within, out, side="left")
    ones = np.ones(len(out))
    return {
        "out_of_scope_recall": _ratio(out < threshold, ones),
        "out_of_scope_auroc": _ratio((above + equal / 2) / max(len(within), 1), ones),
        "kept_in_scope": _ratio(within >= threshold, np.ones(len(within))),
    }


def calibration_error(probability: Floats, right: NDArray[np.bool_]) -> float:
    """Mean distance of probability and share of right answers over 15 bins of equal mass (Naeini et al. 2015)."""
    order = np.argsort(probability, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    return float(sum(len(part) * abs(probability[part].mean() - right[part].mean()) for part in bins) / len(order))


def risk_coverage(certainty: Floats, right: NDArray[np.bool_]) -> dict[str, Any]:
    """Share of right answers among the most certain, by the share answered; area: of the risk (Geifman et al. 2019).

    at_98: the greatest share answered of which 98% are right: no threshold set beforehand finds just that.
    """
    order = np.argsort(-certainty, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= 0.98)
    return {
        "right_at": {str(part): round(float(share[max(round(part * len(share)), 1) - 1]), 5) for part in COVERAGES},
        "at_98": round(float((good[-1] + 1) / len(share)), 5) if len(good) else 0.0,
        "area": round(float(1.0 - share.mean()), 5),
    }


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> pd.DataFrame:
    return pd.DataFrame({NUMERATOR: above.astype(np.float64), DENOMINATOR: below.astype(np.float64)})
