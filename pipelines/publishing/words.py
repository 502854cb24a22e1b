"""Metrics in words, for the report and the terminal."""

from __future__ import annotations

METRICS = {
    "wape": "WAPE of the median: sum of absolute errors by units sold",
    "mase": "MASE: mean absolute error by that of the seasonal naive forecast",
    "scaled_pinball": "pinball loss of the quantiles by the error of the seasonal naive forecast",
    "coverage_80": "share of periods whose sales fell into p10 to p90; 0.8 is right",
    "bias": "forecast less sold, by units sold; 0 is right",
    "ndcg": "NDCG of the list against what was bought in the 28 days after, 0 to 1",
    "recall": "share of what was bought in the 28 days after that was on the list",
    "hit_rate": "share of customers who bought something that was on their list",
    "ndcg_new": "NDCG of what is on the list and new to the customer, against what was bought that was new to them",
    "recall_new": "share of what was bought that was new to the customer that was on the list",
    "average_precision": "average precision: share of frauds among payments at least as risky, mean over the frauds",
    "roc_auc": "ROC AUC: chance that a fraud gets a greater probability than an honest payment",
    "customer_precision": "share with a fraud among the riskiest customers of each day, as many as can be reviewed",
    "brier": "Brier score: mean squared error of the probability",
    "log_loss": "log loss of the probability",
    "expected_calibration_error": "gap between the probability and the share of frauds",
    "false_positive_rate": "share of honest payments that are reviewed or blocked; lower is better",
    "cost_per_night": "money a night that frauds accepted, honest payments blocked and reviews cost; lower is better",
    "accuracy": "accuracy: share of tickets with the right intent",
    "macro_f1": "F1, mean over the intents",
    "urgency_accuracy": "share of tickets with the right urgency",
    "automatic_share": "share of tickets that need no person",
    "automatic_accuracy": "share with the right intent among the tickets that need no person",
}
SHORT = {"wape": "WAPE", "mase": "MASE", "ndcg": "NDCG", "roc": "ROC", "auc": "AUC", "f1": "F1", "brier": "Brier"}


def metric_name(label: str) -> str:
    """A metric's name as people write it: `ndcg_at_20` is NDCG at 20."""
    return " ".join(SHORT.get(word, word) for word in label.split("_"))


def metric_words(metric: str, higher_is_better: bool) -> str:
    """What a metric is and which way is better."""
    return f"{METRICS.get(metric, metric_name(metric))}; {'higher' if higher_is_better else 'lower'} is better"
