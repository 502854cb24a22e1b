"""One payment an order, and the chargebacks of some: what happened is drawn first, then fraud from it by chance.

A situation decides what the store sees (device, card, address). Most situations that look like fraud also happen to
honest customers, so nobody can be sure: `fraud_probability` is the truth that a payment's fraud was drawn from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo.draws import Flags, Floats, Hashes, Ints, choice, days_later, hashes, integers, normal, uniform, within_day
from demo.frames import GUEST, Orders, money, only_where, timestamps, words

# The fraud of a payment of typical amount, by situation.
SITUATIONS = {
    "plain": 0.0022,
    "household_device": 0.004,  # honest: two customers of one household
    "traveller": 0.012,  # honest: abroad, behind an address that others use too
    "shared_device": 0.50,  # a ring pays for many accounts from a few devices
    "stolen_card": 0.45,  # an unknown card and device, often from another country
    "account_takeover": 0.55,  # a burst of orders on an account with a strange device
    "refund_abuse": 0.13,  # a customer of many returns who disputes the payment too
}
NAMES = tuple(SITUATIONS)
PLAIN, HOUSEHOLD, TRAVELLER, RING, STOLEN, TAKEOVER, ABUSE = range(len(NAMES))
METHODS = ("card", "paypal", "bank_transfer", "gift_card")
REASONS = ("fraud", "unrecognised", "not_received", "duplicate")
COUNTRIES = ("United Kingdom", "Germany", "France", "Netherlands", "Spain", "USA", "Brazil", "Poland", "Singapore")
CHARGED_BACK = 0.92  # of frauds; the others are never disputed
RING_DAYS, RING_ACTIVE = 3, 0.2  # a ring works for three days with one device; share of the time that any does
DISPUTED = 0.0006  # of honest payments


@dataclass(frozen=True)
class Paid:
    """The payments of some orders, their chargebacks (also later ones), and the truth behind them."""

    payments: pa.Table
    chargebacks: pa.Table
    truth: pa.Table


def simulate_payments(orders: Orders, typical_cents: float, seed: int, rings: int = 1) -> Paid:
    """Pay for the orders; `rings` are at work at a time."""
    number = orders.number
    person = np.where(orders.customer == GUEST, number + 2**40, orders.customer)
    situation = _situations(orders, person, typical_cents, seed)
    odds = np.array(list(SITUATIONS.values()))[situation]
    odds = odds / (1 - odds) * np.clip(orders.cents / typical_cents, 0.2, 6.0) ** 0.6
    probability = odds / (1 + odds)
    is_fraud = uniform(seed, "fraud", number) < probability
    payment_id = pa.array([f"P{order_id}" for order_id in orders.order_id.to_pylist()], pa.string())
    paid_at = within_day(orders.ordered_at, integers(seed, "paid", 180, number))
    payments = pa.table(
        {
            "payment_id": payment_id,
            "order_id": orders.order_id,
            "customer_id": orders.customer_id,
            "paid_at": timestamps(paid_at),
            "amount": money(orders.cents),
            **_seen(orders, person, situation, seed, rings),
        }
    )
    truth = pa.table(
        {
            "payment_id": payment_id,
            "paid_at": timestamps(paid_at),
            "scenario": words(NAMES, situation),
            "fraud_probability": probability,
            "is_fraud": is_fraud,
        }
    )
    return Paid(payments, _chargebacks(number, payments, is_fraud, situation, seed), truth)


def _situations(orders: Orders, person: Ints, typical_cents: float, seed: int) -> Ints:
    """What is behind each payment; the later in the list, the more it counts."""
    number, day = orders.number, orders.ordered_at.astype("datetime64[D]").astype(np.int64)
    luck = uniform(seed, "situation", number)
    large = np.clip(orders.cents / typical_cents, 0.4, 3.0)
    situation = np.full(len(orders), PLAIN)
    situation[uniform(seed, "household", person) < 0.06] = HOUSEHOLD
    situation[(luck > 0.40) & (luck < 0.42)] = TRAVELLER
    is_active = uniform(seed, "ring is active", day // RING_DAYS) < RING_ACTIVE
    situation[luck < np.where(is_active, 0.0045 / RING_ACTIVE, 0.0)] = RING
    situation[(luck > 0.2) & (luck < 0.2 + 0.0045 * large)] = STOLEN
    is_known = orders.customer != GUEST
    situation[is_known & (orders.prior_returns >= 2) & (uniform(seed, "abuse", number) < 0.035)] = ABUSE
    is_taken = uniform(seed, "takeover", person, day) < np.where(orders.same_day >= 2, 0.028, 0.0004)
    situation[is_known & is_taken] = TAKEOVER
    return situation


def _seen(orders: Orders, person: Ints, situation: Ints, seed: int, rings: int) -> dict[str, pa.Array]:
    """What the store sees of each payment; the traces of a situation are missing now and then."""
    number = orders.number
    is_strange = np.isin(situation, (RING, STOLEN, TAKEOVER))
    method = choice(seed, "method", (0.68, 0.19, 0.09, 0.04), number)
    method[is_strange & (uniform(seed, "by card", number) < 0.6)] = 0
    uses_new_card = uniform(seed, "card", number) < np.array([0.05, 0.05, 0.05, 0.6, 0.85, 0.08, 0.1])[situation]
    usual_card = integers(seed, "second card", 1.2, number)
    card = np.where(uses_new_card, hashes(seed, "new card", number), hashes(seed, "cards", person, usual_card))
    foreign = np.array([0.015, 0.015, 0.85, 0.35, 0.6, 0.45, 0.03])[situation]
    is_foreign = uniform(seed, "ip country", number) < foreign
    elsewhere = words(COUNTRIES, integers(seed, "elsewhere", len(COUNTRIES), number))
    other_bill = uniform(seed, "billing", number) < np.where(situation == STOLEN, 0.4, 0.012)
    billed = words(COUNTRIES, integers(seed, "billed", len(COUNTRIES), number))
    device = _devices(orders, person, situation, seed, rings)
    return {
        "method": words(METHODS, method),
        "card_token": only_where(method == 0, _tokens("tok_", card)),
        "device_id": only_where(uniform(seed, "no device", number) > 0.015, device),
        "ip_address": _addresses(number, person, is_foreign | (situation == TRAVELLER), seed),
        "ip_country": _either(is_foreign, elsewhere, orders.country),
        "billing_country": _either(other_bill, billed, orders.country),
    }


def _devices(orders: Orders, person: Ints, situation: Ints, seed: int, rings: int) -> pa.Array:
    number, day = orders.number, orders.ordered_at.astype("datetime64[D]").astype(np.int64)
    device = hashes(seed, "devices", person, integers(seed, "second device", 1.25, number))
    ring = hashes(seed, "ring", day // RING_DAYS, integers(seed, "ring of", rings, number))
    household = hashes(seed, "household device", person // 2)
    taken = hashes(seed, "taker", person, day)
    shows = uniform(seed, "shows", number)
    for of, other, share in ((RING, ring, 0.85), (HOUSEHOLD, household, 0.7), (TAKEOVER, taken, 0.85)):
        device = np.where((situation == of) & (shows < share), other, device)
    is_new = shows > np.array([0.95, 0.95, 0.75, 0.85, 0.2, 0.85, 0.93])[situation]
    return _tokens("dev_", np.where(is_new, hashes(seed, "new device", number), device))


def _addresses(number: Ints, person: Ints, is_away: Flags, seed: int) -> pa.Array:
    """Addresses that nobody has: at home in 100.64.0.0/10, away in a few networks of 198.18.0.0/15."""
    is_away = is_away | (uniform(seed, "roams", number) < 0.04)
    home = hashes(seed, "home", person) % np.uint64(2**22) + np.uint64((100 << 24) + (64 << 16))
    network = hashes(seed, "network", number) % np.uint64(400)
    away = (
        network * np.uint64(256) + hashes(seed, "host", number) % np.uint64(256) + np.uint64((198 << 24) + (18 << 16))
    )
    return pa.array(
        [f"{a >> 24}.{a >> 16 & 255}.{a >> 8 & 255}.{a & 255}" for a in np.where(is_away, away, home).tolist()]
    )


def _chargebacks(number: Ints, payments: pa.Table, is_fraud: Flags, situation: Ints, seed: int) -> pa.Table:
    """Frauds that the card's owner reports, days to weeks later, and a few disputes of honest payments."""
    is_reported = uniform(seed, "reported", number) < np.where(is_fraud, CHARGED_BACK, DISPUTED)
    rows = np.flatnonzero(is_reported)
    delay: Floats = np.clip(17 * np.exp(0.7 * normal(seed, "delay", number[rows])), 1.5, 110)
    paid_at = payments["paid_at"].to_numpy()[rows]
    reason = np.where(
        situation[rows] == ABUSE,
        2,
        np.where(is_fraud[rows], choice(seed, "reason", (0.7, 0.25, 0.05), number[rows]), 3),
    )
    return pa.table(
        {
            "payment_id": payments["payment_id"].take(pa.array(rows)),
            "reported_at": timestamps(days_later(paid_at, delay)),
            "reason": words(REASONS, reason),
        }
    )


def _tokens(prefix: str, bits: Hashes) -> pa.Array:
    return pa.array([f"{prefix}{value:016x}" for value in bits.tolist()], pa.string())


def _either(mask: Flags, one: pa.Array, other: pa.Array) -> pa.Array:
    return pa.compute.if_else(pa.array(mask), one, other)
