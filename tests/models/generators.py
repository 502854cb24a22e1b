"""Small stores as feature frames: seeded, known shapes, no files."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

AS_OF = dt.date(2015, 6, 1)


def demand_frames(
    *,
    products: int = 12,
    cutoffs: int = 10,
    period_days: int = 7,
    horizon: int = 3,
    known_as_of: dt.date = AS_OF,
    step_days: int = 14,
    days: int = 500,
    seed: int = 3,
    also: pd.DataFrame | None = None,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Features at `cutoffs` dates back from AS_OF, and the targets known at `known_as_of`; also: more daily rows."""
    daily = pd.concat([daily_units(products, days, seed), also], ignore_index=True)
    dates = [AS_OF - dt.timedelta(days=step_days * back) for back in range(cutoffs)][::-1]
    parts = [_at_cutoff(daily, as_of, period_days, horizon, known_as_of) for as_of in dates]
    frames = [pd.concat(list(part), ignore_index=True) for part in zip(*parts, strict=True)]
    return {"demand_products": frames[0], "demand_periods": frames[1]}, frames[2]


def daily_units(products: int, days: int, seed: int) -> pd.DataFrame:
    """day, product_id, units, revenue: non-zero rows of `days` before and 60 after AS_OF."""
    random = np.random.default_rng(seed)
    first = AS_OF - dt.timedelta(days=days)
    rate = random.gamma(1.0, 2.0, products)
    day = np.arange(days + 60)
    season = 1.0 + 0.5 * np.sin(2 * np.pi * day / 365.0)
    units = random.poisson(rate[:, None] * season[None])
    units[0] = 0
    units[1, : days - 20] = 0
    which, when = np.nonzero(units)
    sold = units[which, when]
    return pd.DataFrame(
        {
            "day": [first + dt.timedelta(days=int(d)) for d in when],
            "product_id": [f"p{w:03d}" for w in which],
            "units": sold,
            "revenue": sold * (1.0 + which),
        }
    )


def _at_cutoff(
    daily: pd.DataFrame, as_of: dt.date, period_days: int, horizon: int, known: dt.date
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    past, future = daily[daily["day"] < as_of], daily[daily["day"] >= as_of]
    ago = np.array([-(-(as_of - day).days // period_days) for day in past["day"]], dtype=np.int64)
    periods = past.assign(as_of=as_of, periods_ago=ago)
    periods = periods.groupby(["as_of", "product_id", "periods_ago"])[["units", "revenue"]].sum().reset_index()
    ahead = np.array([(day - as_of).days // period_days + 1 for day in future["day"]], dtype=np.int64)
    ended = [as_of + dt.timedelta(days=int(h) * period_days) <= known for h in ahead]
    targets = future.assign(as_of=as_of, horizon=ahead)[np.array(ended, dtype=bool) & (ahead <= horizon)]
    targets = targets.groupby(["as_of", "product_id", "horizon"])["units"].sum().reset_index()
    return _products(past, as_of), periods, targets.assign(known_as_of=known)


def _products(past: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    sold = past.groupby("product_id")["day"].agg(["min", "max"]).reset_index()
    frame = pd.DataFrame(
        {
            "as_of": as_of,
            "product_id": sold["product_id"],
            "first_known_on": sold["min"],
            "first_sold_on": sold["min"],
            "last_sold_on": sold["max"],
            "is_active": True,
            "unit_price": 2.0,
            "avg_price_4": 2.0,
            "category": None,
        }
    )
    never = frame.iloc[:1].assign(product_id="never", first_sold_on=None, last_sold_on=None, avg_price_4=np.nan)
    return pd.concat([frame, never], ignore_index=True)


def popularity_frames(
    *, customers: int = 30, products: int = 15, cutoffs: int = 3, seed: int = 5, known_as_of: dt.date = AS_OF
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Popularity, products and purchases at `cutoffs` dates, 28 days apart, and what was bought after each."""
    random = np.random.default_rng(seed)
    dates = [AS_OF - dt.timedelta(days=28 * back) for back in range(cutoffs)][::-1]
    popularity, bought, targets = [], [], []
    for as_of in dates:
        ago, which = np.nonzero(random.random((90, products)) < 0.3)
        counts = random.integers(1, 9, len(ago))
        popularity.append(pd.DataFrame({"as_of": as_of, "product_id": which, "days_ago": ago + 1, "customers": counts}))
        bought.append(_pairs(random, as_of, customers, products, 0.2).assign(times=1, last_bought_on=as_of))
        if as_of + dt.timedelta(days=28) <= known_as_of:
            targets.append(_pairs(random, as_of, customers, products, 0.1))
    pairs = pd.concat(targets, ignore_index=True) if targets else bought[0].iloc[:0]
    catalogue = pd.concat(
        [pd.DataFrame({"as_of": day, "product_id": range(products), "is_active": True}) for day in dates],
        ignore_index=True,
    )
    catalogue.loc[catalogue["product_id"] == 3, "is_active"] = False
    frames = {
        "product_popularity": pd.concat(popularity, ignore_index=True),
        "products": catalogue,
        "customer_products": pd.concat(bought, ignore_index=True),
    }
    named = {name: _named(frame) for name, frame in frames.items()}
    return named, _named(pairs).assign(known_as_of=known_as_of)


def _pairs(random: np.random.Generator, as_of: dt.date, customers: int, products: int, share: float) -> pd.DataFrame:
    who, what = np.nonzero(random.random((customers, products)) < share)
    return pd.DataFrame({"as_of": as_of, "customer_id": [f"c{w:03d}" for w in who], "product_id": what})


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(product_id=[f"p{which:03d}" for which in frame["product_id"]])


def at_last_cutoff(features: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The frames of the newest cut-off alone, as a night passes them."""
    return {
        name: frame[frame["as_of"] == AS_OF].reset_index(drop=True) if "as_of" in frame.columns else frame
        for name, frame in features.items()
    }


def lists_frames(
    *, customers: int = 30, cutoffs: int = 3, known_as_of: dt.date = AS_OF
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """`popularity_frames` with purchases of some days ago."""
    features, targets = popularity_frames(customers=customers, cutoffs=cutoffs, known_as_of=known_as_of)
    bought = features["customer_products"]
    ago = np.random.default_rng(9).integers(1, 300, len(bought))
    bought["last_bought_on"] = [
        day - dt.timedelta(days=int(back)) for day, back in zip(bought["as_of"], ago, strict=True)
    ]
    return features, targets


def payments_frames(
    *, payments: int = 1500, seed: int = 11, known_as_of: dt.date = AS_OF
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Payments of sixty days; many customers on a device and large amounts are charged back more often."""
    random = np.random.default_rng(seed)
    amount = random.lognormal(3.5, 0.8, payments).round(2)
    devices = random.poisson(0.3, payments)
    margin = -3.5 + 1.6 * (devices > 1) + 0.02 * np.minimum(amount - 40, 150)
    paid_at = pd.Timestamp(AS_OF) - pd.to_timedelta(np.sort(random.random(payments))[::-1] * 60 + 0.01, unit="D")
    frame = pd.DataFrame(
        {
            "payment_id": [f"x{which:05d}" for which in random.permutation(payments)],
            "customer_id": [f"c{which:03d}" for which in random.integers(0, 300, payments)],
            "paid_at": paid_at,
            "amount": amount,
            "device_customers_7d": devices,
            "is_new_customer": random.random(payments) < 0.3,
            "customer_avg_amount_30d": np.where(random.random(payments) < 0.2, np.nan, amount * 0.9),
        }
    )
    fraud = random.random(payments) < 1 / (1 + np.exp(-margin))
    mature = paid_at + pd.Timedelta(days=20) <= pd.Timestamp(known_as_of)
    labels = pd.DataFrame({"payment_id": frame["payment_id"], "is_fraud": fraud, "is_mature": mature})
    return {"payments": frame}, labels.assign(known_as_of=known_as_of)


TICKET_WORDS = {
    "delivery": ("where", "parcel", "late", "tracking", "arrived", "courier"),
    "refund": ("refund", "money", "back", "returned", "account", "bank"),
    "damaged": ("broken", "cracked", "damaged", "box", "replacement", "photo"),
}


def ticket_frames(
    *, tickets: int = 240, seed: int = 13, known_as_of: dt.date = AS_OF
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Tickets of three intents with words of their own and shared ones; every fifth is not resolved."""
    random = np.random.default_rng(seed)
    shared = ("hello", "my", "order", "please", "thanks", "the", "help", "today")
    intents = random.choice(list(TICKET_WORDS), tickets, p=[0.5, 0.3, 0.2])
    texts = [" ".join([*random.choice(TICKET_WORDS[one], 2), *random.choice(shared, 4)]) for one in intents]
    ids = [f"t{which:04d}" for which in random.permutation(tickets)]
    frame = pd.DataFrame({"ticket_id": ids, "text": texts, "messages": 1, "unanswered_messages": 1})
    frame["opened_at"] = pd.Timestamp(AS_OF) - pd.to_timedelta(np.arange(tickets, 0, -1), unit="h")
    known = np.arange(tickets) % 5 > 0
    labels = pd.DataFrame({"ticket_id": ids, "intent": intents, "is_known": known, "known_as_of": known_as_of})
    urgency = pd.Series(np.where(intents == "damaged", "high", "normal"), dtype=object).mask(
        random.random(tickets) < 0.3
    )
    labels = labels.assign(urgency=urgency).assign(intent=labels["intent"].where(labels["is_known"]))
    return {"tickets": frame}, labels


def sequence_frames(
    *, customers: int = 30, cutoffs: int = 3, known_as_of: dt.date = AS_OF
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """`lists_frames` with each purchase as an event, and with the content of products."""
    features, targets = lists_frames(customers=customers, cutoffs=cutoffs, known_as_of=known_as_of)
    bought, products = features["customer_products"], features["products"]
    events = bought[["as_of", "customer_id", "product_id"]].assign(bought_at=pd.to_datetime(bought["last_bought_on"]))
    number = products["product_id"].str[1:].astype(int)
    content = {
        "category": "toys > " + (number % 3).astype(str),
        "title": "thing " + number.astype(str),
        "unit_price": number + 0.5,
    }
    return features | {"purchases": events, "products": products.assign(**content)}, targets
