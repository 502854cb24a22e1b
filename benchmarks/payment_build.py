"""What a night's payment features cost on a long history, beside building them all anew: seconds and memory.

python -m benchmarks.payment_build [--payments 10000000 --days 730 --threads 2] --out result.json

A store from a seed, straight in the raw tables: a payment in ten by a guest, orders of one to three lines of 2,000
products, devices, cards and addresses that customers keep, ten of them to a network, one payment in a hundred charged
back up to 40 days later.
`history` is the full build of all days but the last, `night` the last day's payments on top of it. With --check all is
built once more, anew, and must give the night's rows again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.raw_store import build, fill
from benchmarks.recommendations import peak_mib
from pipelines.features.build import NEVER
from pipelines.home import Home
from pipelines.settings import Places, Settings

FIRST = date(2022, 1, 1)
SELECTED = ("int_payments", "int_payment_products", "int_payment_features", "features_payments")
PRODUCTS = 2_000
DRAWN = """
    create temp table drawn as
    select
        i,
        hash(i) as h,
        timestamp '{first}' + to_microseconds((i * ({days} * 86400000000 // {payments}))::bigint) as moment,
        (hash(i, 1) % {customers})::bigint as who
    from range({payments}) as numbers(i)
"""
REPORTED = "moment + to_days((1 + hash(i, 4) % 40)::int)"
PAYER = "case when h % 10 > 0 then 'C' || who end"
DEVICE = "'D' || (case when h % 20 = 0 then hash(i, 3) % {customers} else who end)"
START = "timestamp '{first}'"
ROWS = {
    "customers": (f"select 'C' || i, {START}, 'GB', null, null, null, {START}", START, "range({customers}) as n(i)"),
    "products": (
        f"select 'P' || i, 'title', null, null, 10, null, true, null, null, {START}",
        START,
        "range({products}) as n(i)",
    ),
    "orders": (f"select 'O' || i, {PAYER}, moment, 'paid', 'GB', 'web', 'EUR'", "moment", "drawn"),
    "order_lines": (
        "select 'O' || i, line, 'P' || (hash(i, line) % {products}), 1, 10, null",
        "moment",
        "drawn, range(1, 4) as lines(line) where line <= 1 + h % 3",
    ),
    "payments": (
        f"select 'Y' || i, 'O' || i, {PAYER}, moment, 5 + hash(i, 2) % 20000 / 100, 'card', 'K' || who, {DEVICE}, "
        "'I' || who, 'N' || (who // 10), case when h % 50 = 0 then 'FR' else 'GB' end, 'GB'",
        "moment",
        "drawn",
    ),
    "chargebacks": (f"select 'Y' || i, {REPORTED}, null", REPORTED, "drawn where h % 100 = 0"),
}


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Build the history, the night and all anew; prints and writes the figures."""
    given = _parsed(arguments)
    last = FIRST + timedelta(days=given.days)
    found: dict[str, Any] = {"sizes": {name: getattr(given, name) for name in ("payments", "days", "threads")}}
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        places = Places.from_environment({"NIGHTCART_HOME": folder})
        home = Home(places, Settings.model_validate({"compute": {"threads": given.threads}}))
        _fill(home, given, last)
        found["history"] = _build(home, last - timedelta(days=1), None)
        found["night"] = _build(home, last, last - timedelta(days=1))
        night = _digest(home, last)
        if given.check:
            found["rebuild"] = _build(home, last, None)
            found["same_rows"] = _digest(home, last) == night
    found["night_share"] = round(found["night"]["cpu_seconds"] / found["history"]["cpu_seconds"], 4)
    found["night"]["payments"], found["peak_mib"] = night[0], peak_mib()
    print(json.dumps(found, indent=2))  # noqa: T201
    given.out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return found


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.payment_build", description=__doc__)
    parser.add_argument("--payments", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=730, help="that they are spread over")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="whether a full build gives the night's rows again")
    parser.add_argument("--folder", type=Path, help="where the warehouse is written; the system's temporary folder")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _fill(home: Home, given: argparse.Namespace, last: date) -> None:
    """The raw tables of that many payments."""
    names = {"first": FIRST, "days": given.days, "payments": given.payments, "products": PRODUCTS}
    names |= {"customers": max(given.payments // 12, 1)}
    rows = {entity: tuple(part.format(**names) for part in parts) for entity, parts in ROWS.items()}
    fill(home, rows, [DRAWN.format(**names)], last)


def _build(home: Home, as_of: date, newest: date | None) -> dict[str, Any]:
    """One build of the payments' models, on top of what the newest night left; anew where there is none."""
    variables = {"as_of": str(as_of), "known_after": str(newest or NEVER), "events": "tonight", "payment_days": 1}
    return build(home, ROWS, variables, ["run", "--select", "staging", *SELECTED], newest)


def _digest(home: Home, as_of: date) -> tuple[int, int]:
    """How many payments the night has, and the sum of the hashes of their features."""
    with home.warehouse.session() as session:
        table = f"intermediate.int_payment_features as f where as_of = '{as_of}'"
        row = session.read(f"select count(*) as n, sum(hash(f)) as h from {table}").to_pylist()[0]
    return int(row["n"]), int(row["h"])


if __name__ == "__main__":
    main()
