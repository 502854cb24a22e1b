"""The two arms of recommendations: what is compared, by hand, and why there may be nothing to compare."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.home import Home
from pipelines.monitoring.exposure import DAYS, exposure
from pipelines.publishing.report.exposure import exposure as shown_exposure
from pipelines.publishing.report.figures import lifts
from pipelines.records import model_performance, releases
from tests.publishing.generators import (
    AS_OF,
    CUSTOMERS,
    SHOWN,
    VERSIONS,
    bought,
    done,
    night,
    publish_night,
)

SINCE = AS_OF - timedelta(days=DAYS)
HELD = CUSTOMERS[6:]
ORDERED = {"C00": 3, "C01": 1, "C06": 1}
Tables = dict[str, list[dict[str, Any]]]


def hold_out(tables: Tables) -> None:
    """Three of the nine customers are in the other arm."""
    for row in tables["recommendations"]:
        row["arm"] = "holdout" if row["customer_id"] in HELD else "model"


def followed(release_id: str, other: str = "unknown") -> Any:
    """What came in the 28 days: three customers ordered, one from their list; three were shown it, two clicked."""

    def change(tables: Tables) -> None:
        tables["features_customer_orders"] = [
            {"as_of": AS_OF, "customer_id": name, "orders": n, "units": 2 * n, "revenue": Decimal(10 * n)}
            for name, n in [*ORDERED.items(), ("C99", 7)]
        ]
        seen = [
            ("C01", release_id, 8, 2),
            ("C02", release_id, 2, 0),
            ("C07", release_id, 10, 1),
            ("C01", other, 90, 90),
        ]
        seen.append(("C01", other, 90, 90))
        tables["features_exposure"] = [
            {"as_of": AS_OF, "shown_release_id": of, "customer_id": name, "impressions": shown, "clicks": clicks}
            for name, of, shown, clicks in seen
        ]
        own = next(product for product in SHOWN if product not in bought("C00"))
        row = {"as_of": AS_OF, "customer_id": "C00", "product_id": own, "times": 1}
        tables["features_customer_products"] += [
            row | {"last_bought_on": SINCE},
            row | {"customer_id": "C08", "last_bought_on": SINCE - timedelta(days=1)},
        ]

    return change


def test_both_arms_by_hand(home: Home) -> None:
    release_id = publish_night(home, SINCE, change=hold_out)["release_id"]
    night(home, AS_OF, change_snapshot=followed(release_id))
    found = exposure(home, AS_OF)
    values = {(row["metric"], row["segment"]): row["value"] for row in found["figures"]}
    assert (found["release_id"], found["missing"]) == (release_id, None)
    assert values["arm_orders", "arm=model"] == pytest.approx(4 / 6)
    assert values["arm_orders", "arm=holdout"] == pytest.approx(1 / 3)
    assert values["added_orders", "all"] == pytest.approx(1 / 3)
    assert values["lift_orders", "all"] == pytest.approx(1.0)
    assert values["lift_money", "all"] == pytest.approx(1.0)
    assert values["lift_buyers", "all"] == pytest.approx(0.0)
    assert values["arm_list_buyers", "arm=model"] == pytest.approx(1 / 6)
    assert values["arm_list_buyers", "arm=holdout"] == 0.0
    assert values["lift_list_buyers", "all"] is None
    assert values["arm_clicks", "arm=model"] == pytest.approx(0.2)
    assert values["lift_clicks", "all"] == pytest.approx(1.0)
    json.dumps(found)
    rows = home.records.rows(sa.select(model_performance).where(model_performance.c.metric == "lift_orders"))
    assert [(row["model_version"], row["n"], row["kind"]) for row in rows] == [
        (VERSIONS["recommendations"], 9, "realised")
    ]
    assert exposure(home, AS_OF) == found


def test_the_report_shows_them(home: Home) -> None:
    release_id = publish_night(home, SINCE, change=hold_out)["release_id"]
    night(home, AS_OF, change_snapshot=followed(release_id))
    done(home, AS_OF, "monitor", {"exposure": exposure(home, AS_OF)})
    found = shown_exposure(home, AS_OF)
    assert (found["customers"], found["held_out"]) == (9, 3)
    assert [row["measure"] for row in found["rows"]][-2:] == ["list_buyers", "clicks"]
    assert len(lifts(found["rows"])["data"]) == 5  # nobody of the hold-out bought from the list: no lift
    assert found["needed"] > 100


def test_nothing_to_compare(home: Home) -> None:
    night(home, AS_OF)
    assert f"the night of {SINCE} has no release" in exposure(home, AS_OF)["missing"]
    publish_night(home, SINCE)
    assert "nobody is held out" in exposure(home, AS_OF)["missing"]
    home.records.replace(model_performance, [], sa.true())
    assert exposure(home, AS_OF)["figures"] == []


def test_a_release_that_was_taken_back_was_not_shown(home: Home) -> None:
    release_id = publish_night(home, SINCE, change=hold_out)["release_id"]
    with home.records.begin() as connection:
        connection.execute(sa.update(releases).values(status="rolled_back"))
    night(home, AS_OF, change_snapshot=followed(release_id))
    assert "has no release" in exposure(home, AS_OF)["missing"]


def test_impressions_of_an_unknown_release_do_not_count(home: Home) -> None:
    publish_night(home, SINCE, change=hold_out)
    night(home, AS_OF, change_snapshot=followed("another"))
    metrics = {row["metric"] for row in exposure(home, AS_OF)["figures"]}
    assert "arm_orders" in metrics
    assert "arm_clicks" not in metrics
