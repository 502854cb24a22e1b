"""Card transactions as a landing zone, and a landing zone's payments as the project's own features of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.landing import read_entity
from pipelines.contract import ENTITIES
from pipelines.features.build import build_features, build_training_features
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.ingest.casts import ARROW
from pipelines.ingest.collect import collect
from pipelines.ingest.load import load
from pipelines.settings import Places, Settings
from pipelines.validate.validate import validate_incoming

DAY = pd.Timedelta(days=1)
_BUILT = "built.json"


@dataclass(frozen=True)
class Payments:
    """Every payment of a landing zone with its features, what was known of it at each cut-off, and what came out."""

    features: pd.DataFrame
    targets: pd.DataFrame
    """known_as_of, payment_id, is_fraud, is_mature: the last cut-off is the end of what was delivered."""


def write_transactions(file: Path, landing: Path, report_days: int) -> None:
    """The Fraud Detection Handbook's transactions as a landing zone of one history partition an entity.

    A terminal is a device, a fraud a chargeback that is reported `report_days` later. What else the contract asks for
    has one row, which nothing speaks of.
    """
    told = pd.read_parquet(file)
    paid_at = pd.to_datetime(told["TX_DATETIME"]).astype("datetime64[us]")
    ids = told["TRANSACTION_ID"].astype(str)
    fraud = told["TX_FRAUD"].to_numpy(bool)
    last = (paid_at.max() + report_days * DAY).date()
    payments = {"payment_id": ids, "order_id": "none " + ids, "customer_id": told["CUSTOMER_ID"].astype(str)}
    payments |= {"paid_at": paid_at, "amount": told["TX_AMOUNT"].round(4), "method": "card"}
    payments |= {"device_id": told["TERMINAL_ID"].astype(str)}
    reported_at = (paid_at + report_days * DAY)[fraud]
    first = paid_at.min()
    nobody = {"customer_id": ["nobody"], "updated_at": [first]}
    nothing = {
        "product_id": ["nothing"],
        "title": ["nothing"],
        "unit_price": [1.0],
        "is_active": [True],
        "updated_at": [first],
    }
    order = {"order_id": ["none"], "ordered_at": [first], "status": ["paid"], "currency": ["EUR"]}
    line = {"order_id": ["none"], "line_number": [1], "product_id": ["nothing"], "quantity": [1], "unit_price": [1.0]}
    _write(landing, "payments", last, pd.DataFrame(payments))
    _write(landing, "chargebacks", last, pd.DataFrame({"payment_id": ids[fraud], "reported_at": reported_at}))
    for entity, row in {"customers": nobody, "products": nothing, "orders": order, "order_lines": line}.items():
        _write(landing, entity, last, pd.DataFrame(row))


def _write(landing: Path, entity: str, dt: date, rows: pd.DataFrame) -> None:
    folder = landing / entity / f"dt={dt}"
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        column.name: pa.array(rows[column.name], from_pandas=True).cast(ARROW[column.type], safe=False)
        for column in ENTITIES[entity].columns
        if column.name in rows
    }
    pq.write_table(pa.table(arrays), folder / "part-0.parquet")
    (folder / "_SUCCESS").touch()


def payments_of(
    landing: Path, folder: Path, cutoffs: Sequence[date], maturity_days: int, threads: int
) -> tuple[Payments, date]:
    """Collect, validate, load and build a landing zone in a home of its own; also the night as of which it is whole.

    What `folder` holds of the same landing zone and cut-offs is read again instead.
    """
    as_of = read_entity(landing, "payments", [])["dt"].max() + timedelta(days=1)
    chargebacks = read_entity(landing, "chargebacks", [])["dt"].max() + timedelta(days=1)
    as_of = max(as_of, chargebacks)
    places = Places.from_environment({"NIGHTCART_HOME": str(folder), "NIGHTCART_LANDING": str(landing)})
    given = {"risk": {"label_maturity_days": maturity_days}, "compute": {"threads": threads}}
    home = Home(places, Settings.model_validate(given))
    note = folder / _BUILT
    built = json.loads(note.read_text("utf-8")) if note.is_file() else {}
    if (built.get("landing"), built.get("as_of")) != (str(landing), str(as_of)):
        for step in (collect, validate_incoming, load, build_features):
            step(home, as_of)
        built = {"landing": str(landing), "as_of": str(as_of), "cutoffs": []}
    asked = {str(day) for day in (*cutoffs, as_of)}
    if not asked <= set(built["cutoffs"]) or built["maturity_days"] != maturity_days:
        days = sorted(asked | set(built["cutoffs"]))
        fit_cutoffs = [date.fromisoformat(day) for day in days]
        snapshot = build_training_features(home, as_of, [], [], payment_fit_cutoffs=fit_cutoffs)["snapshot"]
        built |= {"cutoffs": days, "maturity_days": maturity_days, "snapshot": snapshot}
        note.write_text(json.dumps(built), "utf-8")
    stored = Snapshot(home.storage, built["snapshot"])
    return Payments(stored.frame("features_payments"), stored.frame("features_payment_targets")), as_of
