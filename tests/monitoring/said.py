"""What past releases might have said of the stores of `deliveries`, and of what features; drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from pipelines.monitoring.realised import Told
from tests.features.store import DAY
from tests.monitoring.deliveries import INTENTS, Delivery

VERSIONS = ("one-000000000001", "two-000000000002")
"""The model that served before the change of champion, and the one that does since."""


class Said:
    """The release of one night."""

    def __init__(self, deliveries: Sequence[Delivery], night: date, changed: date) -> None:
        self.night, self.version = night, VERSIONS[night >= changed]
        self.random = np.random.default_rng(night.toordinal())
        self.of = {
            entity: pd.DataFrame([d.row for d in deliveries if d.entity == entity and d.loaded <= night])
            for entity in ("products", "payments", "tickets")
        }

    def told(self, output: str) -> Told:
        """What it said of an output."""
        rows, frames = getattr(self, output)()
        dated = {name: frame.assign(as_of=pd.Timestamp(self.night)) for name, frame in frames.items()}
        return Told(rows.assign(model_version=self.version, as_of=pd.Timestamp(self.night)), dated)

    def demand(self) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
        """Forecasts of two weeks."""
        products = self.of["products"][["product_id"]]
        rows = products.merge(pd.DataFrame({"horizon": [1, 2]}), how="cross")
        start = pd.Timestamp(self.night) + (rows["horizon"] - 1) * timedelta(days=7)
        units = self.random.integers(0, 4, (len(rows), 3)).cumsum(axis=1).astype(float)
        rows = rows.assign(period_start=start, units_mean=units[:, 1])
        rows[["units_p10", "units_p50", "units_p90"]] = units
        first = pd.Timestamp(self.night - 200 * DAY)
        known = products.assign(category="a", first_known_on=first, first_sold_on=first, last_sold_on=first)
        known = known.assign(active_periods_13=5)
        periods = products.assign(periods_ago=2, units=3, revenue=6.0, days_out_of_stock=0)
        return rows, {"features_demand_products": known, "features_demand_periods": periods}

    def recommendations(self) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
        """Lists of two of the three products; every sixth customer is held out."""
        products = self.of["products"]
        store = products["product_id"].str.split("P").str[0]
        rows = products[["product_id"]].assign(customer_id=store).merge(pd.DataFrame({"who": range(3)}), how="cross")
        rows["customer_id"] += "C" + rows["who"].astype(str)
        rows["rank"] = rows.groupby("customer_id")["who"].transform(lambda own: self.random.permutation(len(own)) + 1)
        arm = np.where(pd.util.hash_array(rows["customer_id"].to_numpy(object)) % 6 == 0, "holdout", "model")
        day = pd.Timestamp(self.night - 60 * DAY)
        bought = rows[rows["rank"] == 3][["customer_id", "product_id"]]
        bought = bought.assign(first_bought_on=day, last_bought_on=day)
        country = np.where(bought["customer_id"].str[-1] == "1", "FR", "DE")
        described = {"features_customers": bought[["customer_id"]].assign(country=country, channel=None)}
        return rows[rows["rank"] < 3].assign(arm=arm[rows["rank"] < 3]), {
            **(described if self.version == VERSIONS[1] else {}),  # the first was made before there was such a table
            "features_customer_products": bought,
            "features_products": products[["product_id"]].assign(category="a"),
            "features_product_popularity": products[["product_id"]],
            "features_stock": products[["product_id"]],
        }

    def risk(self) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
        """The payments of the day before."""
        payments = self.of["payments"]
        payments = payments[payments["paid_at"].dt.date == self.night - DAY].reset_index(drop=True)
        payments = payments.assign(amount=50.0, is_guest=0, customer_payments_before=1, billing_country="GB")
        rows = payments[["payment_id"]].assign(fraud_probability=self.random.random(len(payments)).round(2))
        return rows, {"features_payments": payments}

    def support(self) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
        """All tickets of the last ten days, whether open or not: those of before are told of again."""
        tickets = self.of["tickets"]
        tickets = tickets[tickets["opened_at"].dt.date >= self.night - 10 * DAY].reset_index(drop=True)
        rows = tickets[["ticket_id"]].assign(
            intent=self.random.choice(INTENTS, len(tickets)),
            urgency=self.random.choice(["low", "high"], len(tickets)),
            needs_human=self.random.random(len(tickets)) < 0.5,
        )
        return rows, {"features_tickets": tickets.assign(text="where is my order")}
