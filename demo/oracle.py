"""How well anyone could do: figures of the planted probabilities themselves, and of a keyword rule to compare with."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa

from demo.draws import Flags, Floats

# In this order: the first that is found in subject or text decides.
KEYWORDS = {
    "payment_problem": "twice|charged|my card|unpaid|payment",
    "cancel_order": "cancel|by mistake|don't ship|stop order",
    "change_address": "address|postcode|redirect",
    "invoice_request": "invoice|receipt|vat",
    "refund_status": "refund|money|credit",
    "damaged_item": "broken|damaged|smashed|in pieces|cracked",
    "wrong_item": "wrong|missing|something else|not what i ordered",
    "return_request": "return|send back|label",
    "stock_question": "available|in stock|sold out",
    "product_question": "measurements|made of|dishwasher|size|question",
    "where_is_order": "",
}


def rounded(value: float) -> float | None:
    """Four digits; None where there was nothing to measure."""
    return None if np.isnan(value) else round(value, 4)


def auc(truth: Flags, score: Floats) -> float:
    """Area under the ROC curve; ties count half."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positives = int(truth.sum())
    pairs = positives * (len(truth) - positives)
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / pairs) if pairs else float("nan")


def average_precision(truth: Flags, score: Floats) -> float:
    """The mean precision over the positives, best score first (ties in the order given)."""
    hits = truth[np.argsort(-score, kind="stable")]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean()) if hits.any() else float("nan")


def keyword_intent(text: str) -> str:
    """The intent of the first keyword found."""
    lower = text.lower()
    return next(intent for intent, pattern in KEYWORDS.items() if re.search(pattern, lower))


def payment_figures(truth: pa.Table) -> dict[str, float | None]:
    """Base rate, and the oracle's own AUC and average precision."""
    is_fraud = truth["is_fraud"].to_numpy()
    probability = truth["fraud_probability"].to_numpy()
    return {
        "payments": truth.num_rows,
        "frauds": int(is_fraud.sum()),
        "fraud_rate": round(float(is_fraud.mean()), 5),
        "oracle_auc": rounded(auc(is_fraud, probability)),
        "oracle_average_precision": rounded(average_precision(is_fraud, probability)),
    }


def ticket_figures(tickets: pa.Table, messages: pa.Table, truth: pa.Table) -> dict[str, float]:
    """The accuracy of the keyword rule, what the oracle may expect, and what it got."""
    texts = dict(zip(tickets["ticket_id"].to_pylist(), tickets["subject"].to_pylist(), strict=True))
    first = messages.filter(pa.compute.equal(messages["message_number"], 1))
    for ticket, body in zip(first["ticket_id"].to_pylist(), first["body"].to_pylist(), strict=True):
        texts[ticket] = f"{texts.get(ticket) or ''} {body}"
    noted = dict(zip(truth["ticket_id"].to_pylist(), truth["noted_intent"].to_pylist(), strict=True))
    right = [keyword_intent(text) == noted[ticket] for ticket, text in texts.items()]
    return {
        "tickets": len(right),
        "keyword_accuracy": round(float(np.mean(right)), 4),
        "oracle_accuracy": round(float(truth["intent_probability"].to_numpy().mean()), 4),
    }


def told(figures: dict[str, Any]) -> list[str]:
    """The figures in words: how common fraud is, and the best that anyone could do."""
    shown = {name: "not to be measured on so few" if value is None else value for name, value in figures.items()}
    return [
        f"fraud: {shown['fraud_rate']} of the payments; the oracle's AUC: {shown['oracle_auc']}, "
        f"its average precision: {shown['oracle_average_precision']}",
        f"ticket intents, share right: a keyword rule {shown['keyword_accuracy']}, "
        f"the oracle {shown['oracle_accuracy']}",
    ]
