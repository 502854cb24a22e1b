"""What is said of the features of a payment, by the grammar of their names.

`<who>_<what>_<days>d` and its kin: who is a customer, device, card, ... and what was counted of their earlier payments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

BY = {
    "customer": "by the customer",
    "device": "with this device",
    "card": "with this card",
    "ip_prefix": "from this IP address's network",
    "ip": "from this IP address",
    "product": "for these products",
    "category": "for these categories",
    "country_pair": "between these countries",
}
"""Whose earlier payments a feature tells of."""
WHO = rf"(?P<who>{'|'.join(BY)})"
WITHIN = r"(?:_(?P<days>\d+)d)?(?:_before)?"
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Show = Callable[[float], str]


def number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"


def _money(value: float) -> str:
    return f"{value:,.2f}"


def _share(value: float) -> str:
    return f"{value:.1%}" if value >= 0.01 else f"{value:.2%}"


def _times(value: float) -> str:
    return number(round(value, 1))


def _hour(value: float) -> str:
    return f"{value:02.0f}:00"


def _day(value: float) -> str:
    return WEEK[int(value) - 1] if value in range(1, 8) else number(value)


def counted(one: str) -> Show:
    return lambda value: f"{number(value)} {one}{'' if value == 1 else 's'}"


def _ago(value: float) -> str:
    """Days as people say them: hours where they are few."""
    return counted("hour")(round(24.0 * value)) if value < 2 else counted("day")(round(value))


def _either(yes: str, no: str) -> Show:
    return lambda value: yes if value else no


class Phrase(NamedTuple):
    """What is said of the features whose names match, how a value is shown in it, and how as what is usual."""

    pattern: str
    said: str
    null: str
    show: Show
    usual: Show


NO_PAST = "the customer has no earlier payment to compare with"
NO_LINES = "no lines of the order are known"
COUNTRY = _either("another country than the billing address", "the country of the billing address")
SAME = _either("another", "the same")
GRAMMAR = (
    Phrase("amount", "the amount is {value}", "the amount is not known", *[_money] * 2),
    Phrase("hour_of_day", "paid in the hour from {value} UTC", "the hour is not known", _hour, _hour),
    Phrase("day_of_week", "paid on a {value}", "the day is not known", _day, _day),
    Phrase("account_age_days", "the account is {value} old", "no earlier sign-up is known", counted("day"), number),
    Phrase("order_lines", "the order has {value}", NO_LINES, counted("line"), number),
    Phrase("order_units", "the order has {value}", NO_LINES, counted("unit"), number),
    Phrase(
        "most_expensive_unit_price",
        "the dearest unit of the order costs {value}",
        NO_LINES,
        *[_money] * 2,
    ),
    Phrase("is_guest", "{value} paid", "who paid is not known", *[_either("a guest", "a known customer")] * 2),
    Phrase("ip_country_differs", "the IP address lies in {value}", "one of the countries is not known", COUNTRY, SAME),
    Phrase("ship_country_differs", "the order goes to {value}", "one of the countries is not known", COUNTRY, SAME),
    Phrase(
        r"is_(?P<what>\w+)_new_to_customer",
        "the customer {value} with this {what} before",
        "no customer and {what} are known together",
        _either("never paid", "paid"),
        _either("a new one", "a known one"),
    ),
    Phrase(
        "amount_over_usual",
        "the amount is {value} times the customer's mean",
        NO_PAST,
        *[_times] * 2,
    ),
    Phrase(
        "amount_over_highest",
        "the amount is {value} times the customer's largest",
        NO_PAST,
        *[_times] * 2,
    ),
    Phrase(
        "amount_deviation", "the amount is {value} standard deviations from the customer's mean", NO_PAST, *[_times] * 2
    ),
    Phrase(
        rf"{WHO}_recent_over_usual",
        "payments {by} in 7 days were {value} times as large as before",
        "no payments {by} in 7 days to compare with",
        *[_times] * 2,
    ),
    Phrase(
        rf"{WHO}_highest_over_usual{WITHIN}",
        "the largest payment {by} {within} was {value} times the mean",
        "no payments {by} {within} to compare with",
        *[_times] * 2,
    ),
    Phrase(
        "customer_(?P<what>highest|mean)_amount",
        "the customer's {what} amount before is {value}",
        NO_PAST,
        *[_money] * 2,
    ),
    Phrase(
        "customer_amount_deviation",
        "the customer's amounts vary by {value}",
        NO_PAST,
        *[_money] * 2,
    ),
    Phrase(
        "products_new_to_customer_share",
        "{value} of the order's products are new to the customer",
        NO_LINES,
        *[_share] * 2,
    ),
    Phrase(
        "customer_hour_share",
        "{value} of the customer's payments were at this time of day",
        NO_PAST,
        *[_share] * 2,
    ),
    Phrase(
        rf"days_since_{WHO}_fraud",
        "a payment {by} {value} before was charged back",
        "no payment {by} is known to be charged back",
        *[_ago] * 2,
    ),
    Phrase(
        rf"days_since_first_{WHO}_fraud",
        "charged back payments {by} began {value} before",
        "no payment {by} was lately charged back",
        *[_ago] * 2,
    ),
    Phrase(
        rf"days_since_{WHO}_fraud_streak",
        "payments {by} that were charged back in a row began {value} before",
        "no payment {by} is known to be charged back",
        *[_ago] * 2,
    ),
    Phrase(
        rf"days_since_{WHO}_honest",
        "the last payment {by} before those charged back in a row was {value} before",
        "no payment {by} before those charged back in a row",
        *[_ago] * 2,
    ),
    Phrase(
        rf"{WHO}_fraud_streak",
        "{value} {by} in a row charged back",
        "payments {by} are not known",
        counted("payment"),
        number,
    ),
    Phrase(
        rf"{WHO}_payments_since_fraud",
        "{value} {by} not charged back since the last that was",
        "payments {by} are not known",
        counted("payment"),
        number,
    ),
    Phrase(
        rf"{WHO}_age_days",
        "the first payment {by} was {value} before",
        "no payment {by} before",
        *[_ago] * 2,
    ),
    Phrase(
        rf"{WHO}_mean_amount{WITHIN}",
        "payments {by} {within} were of {value} in the mean",
        "no payments {by} {within}",
        *[_money] * 2,
    ),
    Phrase(
        rf"{WHO}_mean_fraud_amount{WITHIN}",
        "charged back payments {by} {within} were of {value} in the mean",
        "no payments {by} {within} were charged back",
        *[_money] * 2,
    ),
    Phrase(
        rf"days_since_{WHO}_paid", "the last payment {by} was {value} before", "no payment {by} before", *[_ago] * 2
    ),
    Phrase(
        rf"{WHO}_payments{WITHIN}",
        "{value} {by} {within}",
        "payments {by} {within} are not known",
        counted("payment"),
        number,
    ),
    Phrase(
        rf"{WHO}_customers{WITHIN}",
        "{value} paid {by} {within}",
        "who paid {by} {within} is not known",
        counted("other customer"),
        number,
    ),
    Phrase(rf"{WHO}_amount{WITHIN}", "{value} paid {by} {within}", "nothing paid {by} {within}", *[_money] * 2),
    Phrase(
        rf"{WHO}_returns{WITHIN}",
        "{value} {by} {within}",
        "returns {by} {within} are not known",
        counted("return"),
        number,
    ),
    Phrase(
        rf"{WHO}_chargebacks{WITHIN}",
        "{value} of payments {by} {within}",
        "chargebacks of payments {by} {within} are not known",
        counted("chargeback"),
        number,
    ),
    Phrase(
        rf"{WHO}_(?:chargeback|fraud)_rate{WITHIN}",
        "payments {by} {within} had a chargeback rate of {value}",
        "no payments {by} {within} are known",
        *[_share] * 2,
    ),
)
NAMED_AS_IS = Phrase("", "{what} is {value}", "{what} is not known", number, number)
