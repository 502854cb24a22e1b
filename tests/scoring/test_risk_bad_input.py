"""Bad payments and chargebacks, from the landing zone to the night's decisions: each a clear result."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from models.risk import XGBoostRisk
from pipelines.home import Home
from pipelines.records import Row
from pipelines.steps import run_step
from pipelines.training.champions import crown, store_model
from pipelines.validate.quarantine import quarantine_rows
from tests.landing import DAY, Landing, at, chargeback, payment

HISTORY = date(2024, 3, 4)
FIRST, SECOND = HISTORY + DAY, HISTORY + 2 * DAY  # the partitions that something is wrong with
NIGHTS = (FIRST + DAY, SECOND + DAY)
NIGHT_STEPS = ("collect", "validate", "load", "build_features")
WRONG: dict[str, dict[str, Any]] = {
    "plain": {},
    "barter": {"method": "barter"},
    "nothing": {"amount": Decimal("0.0000")},
    "refund": {"amount": Decimal("-5.0000")},
    "charged early": {},
}
Ran = tuple[Home, dict[date, dict[str, Row]]]


def write_history(landing: Landing) -> None:
    """Orders of a day, and four hundred payments of a hundred days, a tenth of them charged back."""
    landing.write_store(HISTORY)
    pick = random.Random(5)
    payments, chargebacks = [], []
    for number in range(400):
        day, name = HISTORY - DAY * pick.randrange(20, 120), f"h{number:03d}"
        amount, is_fraud = Decimal(pick.randrange(1, 900)) / 4, number % 10 == 0
        device = f"device {pick.randrange(3 if is_fraud else 90)}"
        payments.append(payment(name, day, amount=amount, device_id=device, customer_id=f"c{number % 40}"))
        if is_fraud:
            chargebacks.append(chargeback(name, day + 10 * DAY))
    landing.write("payments", HISTORY, payments)
    landing.write("chargebacks", HISTORY, chargebacks)


def write_nights(landing: Landing) -> None:
    """What is wrong: payments of strange values, chargebacks of no, two and later payments, a night without devices."""
    landing.write("payments", FIRST, [payment(name, FIRST, **changes) for name, changes in WRONG.items()])
    twice = [chargeback("h001", FIRST, reported_at=at(FIRST, 8)), chargeback("h001", FIRST, reason="fraud once more")]
    early = chargeback("charged early", FIRST, reported_at=at(FIRST, 8))  # paid at 12
    landing.write("chargebacks", FIRST, [chargeback("no such", FIRST), chargeback("late", FIRST), early, *twice])
    names = [f"device {number}" for number in range(4)]
    landing.write("payments", SECOND, [payment(name, SECOND, device_id=None) for name in (*names, "late")])
    landing.write("chargebacks", SECOND, [chargeback("h000", SECOND, reason="once more")])


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Two nights as far as the decisions, by a model that learnt from the history; the flags of each by payment."""
    folder = tmp_path_factory.mktemp("risk")
    landing = Landing(folder / "landing")
    write_history(landing)
    write_nights(landing)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("NIGHTCART_", "MLFLOW_"))]:
            patch.delenv(name)
        patch.setenv("NIGHTCART_HOME", str(folder / "home"))
        patch.setenv("NIGHTCART_LANDING", str(landing.root))
        home, flags = Home.open(), {}
        for night in NIGHTS:
            for step in NIGHT_STEPS:
                run_step(step, night)
            if night == NIGHTS[0]:
                crown(home, "risk", store_model(home, "risk", learnt(home), HISTORY), HISTORY, "a test", "because")
            scored = run_step("score_risk", night)
            file = home.storage.path(f"releases/{scored['release_id']}/risk_flags.parquet")
            flags[night] = {row["payment_id"]: row for row in pq.read_table(file).to_pylist()}
        yield home, flags


def learnt(home: Home) -> XGBoostRisk:
    """The trees, from all payments of the history."""
    payments = pd.DataFrame(table(home, "int_payment_features"))
    payments = payments[payments["payment_id"].str.startswith("h")]
    is_fraud = payments["payment_id"].str.endswith("0")
    labels = payments[["payment_id"]].assign(is_fraud=is_fraud, is_mature=True, known_as_of=HISTORY)
    return XGBoostRisk(threads=1).fit({"payments": payments}, labels)


def table(home: Home, name: str) -> list[Row]:
    with home.warehouse.session() as session:
        return list(session.read(f"select * from intermediate.{name}").to_pylist())


def known(ran: Ran) -> dict[str, Row]:
    """What is known of each payment in the end."""
    return {row["payment_id"]: row for row in table(ran[0], "int_payments")}


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - naive is UTC in the contract


def test_an_unknown_payment_method_is_a_payment_like_any(ran: Ran) -> None:
    first = ran[1][NIGHTS[0]]
    assert set(first) == set(WRONG)
    assert first["barter"]["fraud_probability"] == first["plain"]["fraud_probability"]
    assert known(ran)["barter"]["method"] == "barter"


@pytest.mark.parametrize("name", ["nothing", "refund"])
def test_what_pays_nothing_risks_nothing_and_is_accepted(ran: Ran, name: str) -> None:
    row = ran[1][NIGHTS[0]][name]
    assert (row["decision"], row["expected_loss"], row["review_rank"]) == ("accept", 0.0, None)
    assert 0 < row["fraud_probability"] < 1


def test_a_chargeback_of_an_unknown_payment_waits_for_it(ran: Ran) -> None:
    payments = known(ran)
    assert "no such" not in payments
    assert payments["late"]["chargeback_known_at"] == midnight(FIRST + DAY) < payments["late"]["known_at"]
    with ran[0].warehouse.session() as session:
        waiting = session.read("select payment_id from raw.chargebacks where payment_id = 'no such'")
    assert waiting.num_rows == 1


def test_two_chargebacks_of_a_payment_in_a_partition_go_to_quarantine(ran: Ran) -> None:
    rows = quarantine_rows(ran[0], "chargebacks").to_pylist()
    assert [(row["key"], row["dt"]) for row in rows] == [("h001", FIRST)] * 2
    assert all("payment_id" in row["rule"] for row in rows)
    assert known(ran)["h001"]["chargeback_reported_at"] is None


def test_of_two_chargebacks_on_two_days_the_first_counts(ran: Ran) -> None:
    found = known(ran)["h000"]
    assert found["chargeback_reported_at"] < midnight(HISTORY)
    assert found["chargeback_known_at"] < midnight(HISTORY)


def test_a_chargeback_before_its_payment_is_a_fraud_from_when_it_is_known(ran: Ran) -> None:
    """Clocks of a bank and a store differ; it was charged back all the same."""
    found = known(ran)["charged early"]
    assert found["chargeback_reported_at"] < found["paid_at"]
    assert found["chargeback_known_at"] == midnight(FIRST + DAY)


def test_a_night_without_devices_is_decided_all_the_same(ran: Ran) -> None:
    second = ran[1][NIGHTS[1]]
    assert set(second) == {"late", *(f"device {number}" for number in range(4))}
    assert {row["decision"] for row in second.values()} <= {"accept", "review", "block"}
    features = {row["payment_id"]: row for row in table(ran[0], "int_payment_features")}
    assert all(features[name]["device_payments_30d"] == 0 for name in second)
    assert all(features[name]["is_device_new_to_customer"] is None for name in second)
