"""Rules of risk: each payment has one decision, and reviews fit into the night."""

from __future__ import annotations

from pipelines.publishing.audit_rules.rule import Rule

RISK = (
    Rule(
        "every payment of features_payments has a decision",
        "risk_flags",
        "risk",
        "select payment_id from features_payments anti join risk_flags using (payment_id)",
    ),
    Rule(
        "only payments of features_payments are decided",
        "risk_flags",
        "risk",
        "select payment_id from risk_flags anti join features_payments using (payment_id)",
    ),
    Rule(
        "order_id is the payment's",
        "risk_flags",
        "risk",
        """
        select payment_id, risk_flags.order_id, features_payments.order_id as paid_for
        from risk_flags join features_payments using (payment_id)
        where risk_flags.order_id is distinct from features_payments.order_id
        """,
    ),
    Rule(
        "expected_loss is the probability times the amount",
        "risk_flags",
        "risk",
        """
        select payment_id, expected_loss, fraud_probability, amount
        from risk_flags join features_payments using (payment_id)
        where abs(expected_loss - fraud_probability * greatest(amount, 0)) > 0.000001 * greatest(expected_loss, 1)
        """,
    ),
    Rule(
        "exactly the payments to review have a rank",
        "risk_flags",
        "risk",
        """
        select payment_id, decision, review_rank from risk_flags
        where (decision = 'review') <> (review_rank is not null)
        """,
    ),
    Rule(
        "review ranks run from 1 without a gap",
        "risk_flags",
        "risk",
        """
        select count(review_rank) as ranked, min(review_rank) as first_rank, max(review_rank) as last_rank
        from risk_flags
        having min(review_rank) <> 1 or max(review_rank) <> count(review_rank)
            or count(distinct review_rank) <> count(review_rank)
        """,
    ),
    Rule(
        "no more reviews than people can do (risk.reviews_per_night)",
        "risk_flags",
        "risk",
        """
        select count(*) as reviews, getvariable('reviews_per_night') as allowed from risk_flags
        where decision = 'review' having count(*) > getvariable('reviews_per_night')
        """,
    ),
)
