"""Which features tell of the same cause, by the grammar of their names: one cause is one reason."""

from __future__ import annotations

import re

from models.risk.grammar import WHO


def cause(column: str) -> str:
    """What a feature tells of, without its window: features of one cause are one reason."""
    if column in CAUSES:
        return CAUSES[column]
    bare = re.sub(r"(_\d+d|_before)$", "", column)
    bare = re.sub(r"^days_since_(first_)?", "", bare)
    if match := re.fullmatch(
        rf"{WHO}_(?:(?:mean_)?(?:chargeback|fraud)(?:s|_rate|_amount|_streak)?|honest|payments_since_fraud)", bare
    ):
        return f"{match['who']}_chargebacks"
    if match := re.fullmatch(rf"{WHO}_(?:paid|payments|mean_amount|amount|(?:recent|highest)_over_usual)", bare):
        return f"{match['who']}_payments"
    return bare


CAUSES = {
    "amount_over_highest": "amount_over_usual",
    "amount_deviation": "amount_over_usual",
    "customer_highest_amount": "amount_over_usual",
    "customer_mean_amount": "amount_over_usual",
    "customer_amount_deviation": "amount_over_usual",
    "customer_hour_share": "hour_of_day",
    "order_units": "order_lines",
    "most_expensive_unit_price": "amount",
    "products_new_to_customer_share": "order_lines",
    "card_age_days": "is_card_new_to_customer",
    "device_age_days": "is_device_new_to_customer",
}
"""Features of one cause whose names do not show it."""
