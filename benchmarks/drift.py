"""Drift: false alarms on nights without any, how surely planted ones are found, and what a night's histograms cost.

python -m benchmarks.drift [--nights 200 --orders 400 --repeats 10 --customers 1000000] --out result.json

Rows of a generated store (`drift_store`) lie in a DuckDB warehouse; the histograms are counted by the SQL of
`build_features` and of `monitor`, and judged by the code of `monitor`, night after night. A planted drift starts on one
of those nights, the same store without it lies before; it is found where
a feature alarms that its output uses.
`--customers` is of the night whose seconds and bytes are measured: an order a month of each, a list of 20 products.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.drift_real import judged_nights, real_rows, with_empty_tables
from benchmarks.drift_scale import night_of
from benchmarks.drift_store import DAY, FIRST, Night, Store, next_night, products
from pipelines.contract import OUTPUTS
from pipelines.home import Home
from pipelines.monitoring.drift import LEVEL, judge_night
from pipelines.monitoring.histograms import NIGHTS, count_inputs, count_scored
from pipelines.monitoring.watched import PREDICTIONS, table_of
from pipelines.records import Row
from pipelines.settings import Places, Settings
from pipelines.warehouse import Session

PLANTS = {
    "a new channel's customers": "recommendations",
    "catalogue turn-over": "recommendations",
    "prices times 100": "demand",
    "a step in sales": "demand",
    "shared devices": "risk",
    "amounts in one country": "risk",
    "a new intent": "support",
    "another language": "support",
}
STRENGTHS = (1.0, 0.5)
LASTS = 7  # nights of a planted drift that are looked at
Histograms = dict[str, dict[date, dict[str, int]]]


def new_home(folder: Path, threads: int) -> Home:
    """A home whose warehouse is empty."""
    places = Places.from_environment({"NIGHTCART_HOME": str(folder)})
    return Home(places, Settings.model_validate({"compute": {"threads": threads}}))


def fill(session: Session, folder: Path, nights: Sequence[Night]) -> None:
    """Put the nights' rows into their relations, in the place of what they held."""
    for schema in ("staging", "intermediate", "marts"):
        session.execute(f"create schema if not exists {schema}")
    for name in (name for name in nights[0] if "." in name):  # the others are scored tables
        file = folder / f"{name}.parquet"
        pq.write_table(
            pa.concat_tables([pa.Table.from_pandas(night[name]) for night in nights], promote_options="permissive"),
            file,
        )
        session.execute(f"create or replace table {name} as select * from {session.parquet(file)}")


def counted(
    session: Session, folder: Path, first: date, nights: Sequence[Night], outputs: Sequence[str] = OUTPUTS
) -> list[Row]:
    """The histograms of these nights, the first of which is as of `first`, with these outputs' scored tables."""
    fill(session, folder, nights)
    days = [first + n * DAY for n in range(len(nights))]
    rows = count_inputs(session, days)
    for day, night in zip(days, nights, strict=True):
        for watched in (one for one in PREDICTIONS if one.outputs[0] in outputs):
            file = folder / f"{watched.table}.parquet"
            night[watched.table].to_parquet(file)
            rows += count_scored(watched, [file], day, "model")
    return rows


def by_feature(rows: Sequence[Row]) -> Histograms:
    """Histograms as `judge_night` takes them."""
    found: Histograms = defaultdict(dict)
    for row in rows:
        found[row["feature"]][row["as_of"]] = row["counts"]
    return found


def alarms(histograms: Histograms, as_of: date, tests: int = 0) -> tuple[list[str], int]:
    """The features that alarm on a night, and how many are judged: as many as are given, or as there are here."""
    judged = judge_night(histograms, as_of)
    tests = tests or len(judged)
    return [one.feature for one in judged if one.value > one.threshold(LEVEL / max(tests, 1))], tests


def compare(session: Session, folder: Path, orders: int, nights: int, repeats: int, seed: int) -> dict[str, Any]:
    """False alarms over the nights, and what is found of each planted drift on some of them."""
    store, rows, stores = Store(orders, np.random.default_rng(seed)), list[Row](), dict[int, Store]()
    before, every = NIGHTS + 1, nights // repeats
    planted = {before + i * every for i in range(repeats)}
    for start in range(0, before + nights, 50):
        batch = []
        for night in range(start, min(start + 50, before + nights)):
            if night in planted:
                stores[night] = copy.deepcopy(store)
            batch.append(next_night(store))
        if start == 0:
            file = folder / "products.parquet"
            products(store, before + nights + LASTS).to_parquet(file)
            session.execute("create schema if not exists marts")
            session.execute(f"create or replace table marts.dim_products as select * from {session.parquet(file)}")
        rows += counted(session, folder, as_of_night(start), batch)
    histograms = by_feature(rows)
    told = [alarms(histograms, as_of_night(night)) for night in range(before, before + nights)]
    found: dict[str, Any] = {"orders": orders, "nights": nights, "features": told[-1][1]}
    found |= {"false_alarm_nights": sum(bool(names) for names, _ in told)}
    found["false_alarms"] = Counter(name for names, _ in told for name in names)
    sys.stdout.write(f"{json.dumps(found)}\n")
    tests = {night: told[night - before][1] for night in stores}
    found["planted"] = [
        detection(session, folder, histograms, stores, tests, plant, strength)
        for plant in PLANTS
        for strength in STRENGTHS
    ]
    return found


def as_of_night(night: int) -> date:
    """The night that knows a day of the store."""
    return FIRST + (night + 1) * DAY


def detection(
    session: Session,
    folder: Path,
    histograms: Histograms,
    stores: dict[int, Store],
    tests: dict[int, int],
    plant: str,
    strength: float,
) -> dict[str, Any]:
    """On how many of the starts the drift is found on its first night, and within a week; and by which features.

    Only what the output uses is counted and judged anew; the level is still shared with all that the night judges.
    """
    output, first, week, named = PLANTS[plant], 0, 0, Counter[str]()
    own = {feature for feature in histograms if output in table_of(feature).outputs}
    for night, before in stores.items():
        store, start = copy.deepcopy(before), as_of_night(night)
        nights = [next_night(store, plant, strength) for _ in range(LASTS)]
        changed = by_feature(counted(session, folder, start, nights, [output]))
        merged = {feature: histograms.get(feature, {}) | changed[feature] for feature in {*changed} & own}
        told = [alarms(merged, start + n * DAY, tests[night])[0] for n in range(LASTS)]
        named.update(told[0])
        first, week = first + bool(told[0]), week + any(told)
    found = {"drift": plant, "output": output, "strength": strength, "starts": len(stores), "first_night": first}
    found |= {"within_a_week": week, "by": dict(named.most_common(3))}
    sys.stdout.write(f"{json.dumps(found)}\n")
    return found


def real(session: Session, folder: Path, file: Path, nights: int) -> dict[str, Any]:
    """What rings on the last nights of real orders."""
    rows, dim_products = real_rows(file)
    dim_products.to_parquet(folder / "products.parquet")
    fill(session, folder, [with_empty_tables(rows, Store(10, np.random.default_rng(0)))])
    dimension = session.parquet(folder / "products.parquet")
    session.execute(f"create or replace table marts.dim_products as select * from {dimension}")
    first, last = (rows["staging.stg_store__orders"]["known_at"].agg(which).date() for which in ("min", "max"))
    found = count_inputs(session, [first + n * DAY for n in range((last - first).days + 1)])
    used = [row for row in found if row["feature"].startswith(("orders.", "order_lines."))]
    return judged_nights(by_feature(used), last, nights)


def main() -> None:
    """Write the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=200)
    parser.add_argument("--orders", type=int, nargs="*", default=[400], help="on the first night, of each store")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--real", type=Path, help="a file of real orders")
    parser.add_argument("--customers", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    result: dict[str, Any] = {"stores": []}
    with tempfile.TemporaryDirectory() as place:
        home = new_home(Path(place) / "home", given.threads)
        with home.warehouse.session() as session:
            for orders in given.orders:
                result["stores"].append(compare(session, Path(place), orders, given.nights, given.repeats, given.seed))
                given.out.write_text(json.dumps(result, indent=1), "utf-8")
            if given.real:
                result["real"] = real(session, Path(place), given.real, given.nights)
        if given.customers:
            result["cost"] = night_of(new_home(Path(place) / "large", given.threads), Path(place), given.customers)
    given.out.write_text(json.dumps(result, indent=1), "utf-8")


if __name__ == "__main__":
    main()
