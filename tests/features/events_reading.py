"""What the features of payments must be, read off the versions with plain loops."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.features.events import KEYS, EventStore
from tests.features.store import DAY, Row, midnight


def valid(versions: list[Row], known_at: datetime, loaded_as_of: date = date.max) -> Row | None:
    """The version of one key that was valid then."""
    known = [v for v in versions if v["known_at"] <= known_at and v["loaded_as_of"] <= loaded_as_of]
    return max(known, key=lambda v: (v["dt"], v["known_at"]), default=None)


def versions_by_key(store: EventStore, entity: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for version in store.versions[entity]:
        found.setdefault(tuple(version[name] for name in KEYS[entity]), []).append(version)
    return found


def _first(versions: list[Row]) -> Row:
    return min(versions, key=lambda v: (v["known_at"], -v["dt"].toordinal()))


class Payments:
    """Each payment as it was first known, and its features as of itself."""

    def __init__(self, store: EventStore) -> None:
        self.of = {entity: versions_by_key(store, entity) for entity in store.versions}
        self.first = {key[0]: dict(_first(versions)) for key, versions in self.of["payments"].items()}
        for (payment_id,), versions in self.of["chargebacks"].items():
            if payment_id in self.first:
                self.first[payment_id]["chargeback"] = _first(versions)
        for payment in self.first.values():
            order = self._known("orders", payment, payment["order_id"])
            payment["customer_id"] = payment["customer_id"] or (order and order["customer_id"])
        self.products = {
            name: {line["product_id"] for line in self._lines(payment)} for name, payment in self.first.items()
        }

    def _known(self, entity: str, payment: Row, *key: Any) -> Row | None:
        return valid(self.of[entity].get(key, []), payment["known_at"], payment["loaded_as_of"])

    def features(self) -> dict[str, Row]:
        """int_payment_features, by payment."""
        return {name: self._features(payment) for name, payment in self.first.items()}

    def targets(self, known_as_of: date, label_maturity_days: int) -> dict[Any, Row]:
        """features_payment_targets of one cut-off."""
        now = midnight(known_as_of)
        return {
            (known_as_of, name): {
                "is_fraud": "chargeback" in payment and payment["chargeback"]["known_at"] <= now,
                "is_mature": payment["paid_at"] + label_maturity_days * DAY <= now,
            }
            for name, payment in self.first.items()
            if payment["known_at"] <= now
        }

    def _known_before(self, payment: Row) -> list[Row]:
        """Payments that the payment may know, whenever they were paid."""
        return [
            other
            for other in self.first.values()
            if other["known_at"] <= payment["known_at"] and other["loaded_as_of"] <= payment["loaded_as_of"]
        ]

    def _before(self, payment: Row, column: str, days: int) -> list[Row]:
        """Those paid before it and within so many days, with the same value in a column."""
        return [
            other
            for other in self._known_before(payment)
            if payment[column] is not None
            and other[column] == payment[column]
            and payment["paid_at"] - days * DAY <= other["paid_at"] < payment["paid_at"]
        ]

    def _frauds(self, payment: Row, column: str) -> list[Row]:
        """Those within a year that are known to be charged back."""
        return [other for other in self._before(payment, column, 365) if self._reported_at(payment, other)]

    def _unreported(self, payment: Row, column: str) -> list[Decimal]:
        """Amounts within a year of those not known to be charged back."""
        return [o["amount"] for o in self._before(payment, column, 365) if not self._reported_at(payment, o)]

    def _reported_at(self, payment: Row, other: Row) -> datetime | None:
        """When the other's chargeback was reported, as far as the payment may know."""
        chargeback = other.get("chargeback")
        is_known = (
            chargeback
            and chargeback["reported_at"] < payment["paid_at"]
            and chargeback["known_at"] <= payment["known_at"]
            and chargeback["loaded_as_of"] <= payment["loaded_as_of"]
        )
        return chargeback["reported_at"] if chargeback and is_known else None

    def _of_frauds(self, p: Row, name: str, column: str) -> Row:
        """What is known of the frauds of one key."""
        frauds = self._frauds(p, column)
        within = {
            days: [other for other in frauds if (at := self._reported_at(p, other)) and at >= p["paid_at"] - days * DAY]
            for days in (1, 7, 30)
        }
        month, year = (len(self._before(p, column, days)) for days in (30, 365))
        return {
            f"{name}_chargebacks": len(frauds),
            **{f"{name}_chargebacks_{days}d": len(found) for days, found in within.items()},
            f"{name}_mean_fraud_amount_30d": _mean(within[30]),
            f"{name}_chargeback_rate": (len(frauds) + 0.1) / (year + 20),
            f"{name}_chargeback_rate_30d": (len(within[30]) + 0.1) / (month + 20),
            f"days_since_{name}_fraud": min(_days_since(p, frauds), default=None),
            f"days_since_first_{name}_fraud": max(_days_since(p, within[30]), default=None),
            **self._of_streak(p, name, column, frauds),
        }

    def _of_streak(self, p: Row, name: str, column: str, frauds: list[Row]) -> Row:
        """The frauds in a row that the last known one ends, and what came after it and had time to be reported."""
        last = max((fraud["paid_at"] for fraud in frauds), default=p["paid_at"])
        reports = [_seconds(self._reported_at(p, fraud) - fraud["paid_at"]) for fraud in frauds]
        took = sum(reports) / max(len(reports), 1)
        others = [o for o in self._before(p, column, 365) if frauds and not self._reported_at(p, o)]
        since = [o for o in others if o["paid_at"] > last and _seconds(p["paid_at"] - o["paid_at"]) > took]
        before = [o["paid_at"] for o in others if o["paid_at"] < last]
        honest = [o for o in others if o["paid_at"] == max(before, default=None)]
        streak = [fraud for fraud in frauds if not before or fraud["paid_at"] > max(before)]
        return {
            f"{name}_fraud_streak": len(streak),
            f"days_since_{name}_fraud_streak": max(_days_since(p, streak), default=None),
            f"days_since_{name}_honest": min(_days_since(p, honest), default=None),
            f"{name}_payments_since_fraud": len(since),
        }

    def _of_days(self, p: Row, others: list[Row]) -> Row:
        """What was known of payments with one key, on whole days before the payment's own."""
        today = p["paid_at"].date()
        paid = [(other, (today - other["paid_at"].date()).days) for other in others]
        amounts = [other["amount"] for other, days in paid if 0 < days <= 30]
        reported = [
            (today - max(other["paid_at"], chargeback["reported_at"]).date()).days
            for other in others
            if (chargeback := other.get("chargeback"))
            and chargeback["known_at"] <= p["known_at"]
            and chargeback["loaded_as_of"] <= p["loaded_as_of"]
        ]
        quarter = sum(0 < days <= 90 for _, days in paid)
        return {
            "payments_7d": sum(0 < days <= 7 for _, days in paid),
            "payments_30d": len(amounts),
            "mean_amount_30d": float(sum(amounts)) / len(amounts) if amounts else None,
            "chargeback_rate_90d": (sum(0 < days <= 90 for days in reported) + 0.1) / (quarter + 20),
        }

    def _of_country_pair(self, p: Row) -> Row:
        pair = (p["ip_country"], p["billing_country"])
        known = self._known_before(p) if None not in pair else []
        others = [other for other in known if (other["ip_country"], other["billing_country"]) == pair]
        return {f"country_pair_{name}": value for name, value in self._of_days(p, others).items()}

    def _of_products(self, p: Row) -> Row:
        """Of the order's products: the least often paid for, the most often charged back, those new to the customer."""
        products = self._products(p)
        days = [self._of_days(p, [o for o in self._known_before(p) if x in self._products(o)]) for x in products]
        before = {product for other in self._before(p, "customer_id", 365) for product in self._products(other)}
        return {
            "product_payments_7d": min((found["payments_7d"] for found in days), default=None),
            "product_payments_30d": min((found["payments_30d"] for found in days), default=None),
            "product_chargeback_rate_90d": max((found["chargeback_rate_90d"] for found in days), default=None),
            "products_new_to_customer_share": len(products - before) / len(products) if products else None,
        }

    def _products(self, p: Row) -> set[str]:
        return self.products[p["payment_id"]]

    def _others(self, payment: Row, column: str, days: int) -> int:
        who = {other["customer_id"] for other in self._before(payment, column, days)}
        return len(who - {None, payment["customer_id"]})

    def _features(self, p: Row) -> Row:
        order = self._order(p)
        lines = self._lines(p)
        mine = self._before(p, "customer_id", 365)
        return {
            **{name: p[name] for name in ("order_id", "customer_id", "paid_at", "known_at", "loaded_as_of")},
            "as_of": p["known_at"].date(),
            "amount": float(p["amount"]),
            "hour_of_day": p["paid_at"].hour,
            "day_of_week": p["paid_at"].isoweekday(),
            "account_age_days": self._account_age(p),
            "order_lines": len(lines) or None,
            "order_units": sum(line["quantity"] for line in lines) or None,
            "most_expensive_unit_price": max((float(line["unit_price"]) for line in lines), default=None),
            "is_guest": int(p["customer_id"] is None),
            "ip_country_differs": _differ(p["ip_country"], p["billing_country"]),
            "ship_country_differs": _differ(order and order["ship_country"], p["billing_country"]),
            "billing_country": p["billing_country"],
            "customer_payments_before": len(mine),
            "amount_over_usual": _over(float(p["amount"]), [float(other["amount"]) for other in mine]),
            "days_since_customer_paid": min(_days_since(p, mine), default=None),
            **self._of_habits(p, mine),
            **self._of_products(p),
            **self._of_country_pair(p),
            "device_recent_over_usual": _over_usual(self._before(p, "device_id", 7), self._unreported(p, "device_id")),
            "is_device_new_to_customer": _is_new(p, "device_id", mine),
            "is_card_new_to_customer": _is_new(p, "card_token", mine),
            "customer_returns_90d": self._returns(p),
            **self._counts(p),
        }

    def _counts(self, p: Row) -> Row:
        columns = {"customer": "customer_id", "device": "device_id", "card": "card_token"}
        columns |= {"ip": "ip_address", "ip_prefix": "ip_prefix"}
        windows = (1, 7, 30)
        return (
            {
                f"{name}_payments_{days}d": len(self._before(p, columns[name], days))
                for name in columns
                for days in windows
            }
            | {
                "device_customers_30d": self._others(p, "device_id", 30),
                "card_customers_30d": self._others(p, "card_token", 30),
                "ip_customers_7d": self._others(p, "ip_address", 7),
                **{
                    f"customer_amount_{days}d": float(sum(o["amount"] for o in self._before(p, "customer_id", days)))
                    for days in windows
                },
                **{f"{name}_mean_amount_30d": _mean(self._before(p, columns[name], 30)) for name in ("device", "card")},
                **{
                    f"{name}_age_days": max(_days_since(p, self._before(p, columns[name], 365)), default=None)
                    for name in ("device", "card")
                },
            }
            | {
                feature: value
                for name, column in columns.items()
                if name != "ip"
                for feature, value in self._of_frauds(p, name, column).items()
            }
        )

    def _order(self, p: Row) -> Row | None:
        order = self._known("orders", p, p["order_id"])
        return order if order and order["ordered_at"] <= p["paid_at"] else None

    def _lines(self, p: Row) -> list[Row]:
        if not self._order(p):
            return []
        keys = [key for key in self.of["order_lines"] if key[0] == p["order_id"]]
        lines = [line for key in keys if (line := self._known("order_lines", p, *key))]
        return [line for line in lines if self._known("products", p, line["product_id"])]

    def _of_habits(self, p: Row, mine: list[Row]) -> Row:
        """How far the payment is from what its customer is used to."""
        usual = self._unreported(p, "customer_id")
        hours = [abs(other["paid_at"].hour - p["paid_at"].hour) for other in mine]
        highest = float(max(usual, default=0))
        return {
            "amount_over_highest": float(p["amount"]) / highest if highest else None,
            **_usual(float(p["amount"]), usual),
            "customer_highest_amount": highest if usual else None,
            "customer_recent_over_usual": _over_usual(self._before(p, "customer_id", 7), usual),
            "customer_highest_over_usual_7d": _highest_over_usual(self._before(p, "customer_id", 7), usual),
            "customer_hour_share": sum(min(h, 24 - h) <= 3 for h in hours) / len(hours) if hours else None,
        }

    def _account_age(self, p: Row) -> int | None:
        customer = self._known("customers", p, p["customer_id"])
        signed_up_at = customer and customer["signed_up_at"]
        if not signed_up_at or signed_up_at >= p["paid_at"]:
            return None
        return int((p["paid_at"].date() - signed_up_at.date()).days)

    def _returns(self, p: Row) -> int:
        start = p["paid_at"] - timedelta(days=90)
        known = [row for key in self.of["returns"] if (row := self._known("returns", p, *key))]
        return sum(
            p["customer_id"] is not None
            and row["customer_id"] == p["customer_id"]
            and start <= row["returned_at"] < p["paid_at"]
            for row in known
        )


def _days_since(p: Row, others: list[Row]) -> list[float]:
    return [(p["paid_at"] - other["paid_at"]) / DAY for other in others]


def _mean(others: list[Row]) -> float | None:
    return float(sum(other["amount"] for other in others)) / len(others) if others else None


def _usual(amount: float, usual: list[Decimal]) -> Row:
    """Mean and deviation of what is usual, and how far the amount is from it."""
    if not usual:
        return dict.fromkeys(("customer_mean_amount", "customer_amount_deviation", "amount_deviation"))
    mean = float(sum(usual)) / len(usual)
    variance = max(float(sum(one * one for one in usual)) / len(usual) - mean * mean, 0.0)
    return {
        "customer_mean_amount": mean,
        "customer_amount_deviation": math.sqrt(variance),
        "amount_deviation": (amount - mean) / math.sqrt(variance + mean * mean / 100) if mean else None,
    }


def _over_usual(late: list[Row], usual: list[Decimal]) -> float | None:
    mean = _mean(late)
    return mean / (float(sum(usual)) / len(usual)) if mean is not None and any(usual) else None


def _highest_over_usual(late: list[Row], usual: list[Decimal]) -> float | None:
    return float(max(o["amount"] for o in late)) / (float(sum(usual)) / len(usual)) if late and any(usual) else None


def _seconds(time: timedelta) -> int:
    return time // timedelta(seconds=1)


def _differ(one: str | None, other: str | None) -> int | None:
    return None if one is None or other is None else int(one != other)


def _over(amount: float, before: list[float]) -> float | None:
    return amount * len(before) / sum(before) if sum(before) else None


def _is_new(p: Row, column: str, mine: list[Row]) -> int | None:
    if p["customer_id"] is None or p[column] is None:
        return None
    return int(all(other[column] != p[column] for other in mine))
