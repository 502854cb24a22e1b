"""A night's triage of open tickets on a long history: seconds and memory of each part.

python -m benchmarks.ticket_triage [--tickets 1000000 --open 10000 --days 730 --threads 2] --out result.json

A store from a seed, straight in the raw tables (`benchmarks/ticket_store.py`): tickets about orders, threads of one to
four messages and resolutions. `history` is the full build of all days but the last, `night` the last day on top of it,
of which `models` names what each took by the wall; `snapshot` writes it. The model learns from the latest resolved
tickets, features as of the night that knew them (`training_features`, `fit`: not of a night). Then the scoring step's
own functions: `triage` (intent, urgency, who looks), `replies` and `trends`.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import ticket_store
from benchmarks.raw_store import build, fill
from benchmarks.recommendations import cpu_seconds
from models.support import TfidfLinear
from models.support.trends import ticket_trends
from pipelines.catalog import FEATURES
from pipelines.features.build import NEVER, night_variables
from pipelines.features.dbt import log_folder
from pipelines.features.snapshot import Snapshot, write_snapshot
from pipelines.home import Home
from pipelines.scoring.replies import suggest
from pipelines.scoring.support import SupportOutput
from pipelines.settings import Places, Settings

SELECTED = ("staging", "int_ticket*", "features_ticket*")
TOOK = re.compile(r"OK created sql \w+ model (?:\w+\.)?(\w*ticket\w*)\W.*\[.*in ([\d.]+)s\]")
PEAK = Path("/proc/self/clear_refs")  # of Linux: writing 5 forgets the peak of the memory so far
Found = dict[str, Any]
T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> Found:
    """Build the history and the night, train, score; prints and writes the figures."""
    given = _parsed(arguments)
    sizes = ("tickets", "open", "days", "products", "orders_a_ticket", "threads")
    found: Found = {"sizes": {name: getattr(given, name) for name in sizes}}
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        places = Places.from_environment({"NIGHTCART_HOME": folder})
        home = Home(places, Settings.model_validate({"compute": {"threads": given.threads}}))
        last = ticket_store.FIRST + timedelta(days=given.days)
        rows = ticket_store.rows(given)
        _timed(found, "fill", lambda: fill(home, rows, ticket_store.statements(given), last))
        _built(home, given, found, last)
        model = _trained(home, given, found, last)
        _built_night(home, given, found, last)
        _scored(home, found, last, model)
    print(json.dumps(found, indent=2))  # noqa: T201
    given.out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return found


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ticket_triage", description=__doc__)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--open", type=int, default=10_000, help="of them tonight, about")
    parser.add_argument("--days", type=int, default=730, help="that they are spread over")
    parser.add_argument("--products", type=int, default=2_000)
    parser.add_argument("--orders-a-ticket", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the warehouse is written; the system's temporary folder")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _built(home: Home, given: argparse.Namespace, found: Found, last: date) -> None:
    """All days but the last, anew."""
    before, rows = last - timedelta(days=1), ticket_store.rows(given)
    variables, command = night_variables(home, before, NEVER), ["run", "--select", *SELECTED]
    _timed(found, "history", lambda: build(home, rows, variables, command, None))


def _trained(home: Home, given: argparse.Namespace, found: Found, last: date) -> TfidfLinear:
    """The linear model, from what the history's last night knew."""
    before, rows = last - timedelta(days=1), ticket_store.rows(given)
    command = ["run", "--select", "features_tickets", "features_ticket_targets"]
    variables = {"as_of": str(before), "events": "all", "ticket_fit_cutoffs": [str(before)]}
    _timed(found, "training_features", lambda: build(home, rows, variables, command, before))
    with home.warehouse.session() as session:
        features = session.read("select * from features.features_tickets").to_pandas()
        targets = session.read("select * from features.features_ticket_targets").to_pandas()
    model = TfidfLinear(threads=given.threads)
    _timed(found, "fit", lambda: model.fit({"tickets": features}, targets))
    return model


def _built_night(home: Home, given: argparse.Namespace, found: Found, last: date) -> None:
    """The last day on top of the history, as a night does, and its snapshot."""
    log = log_folder(home) / "dbt.log"
    seen = log.stat().st_size
    command, rows, newest = ["run", "--select", *SELECTED], ticket_store.rows(given), last - timedelta(days=1)
    variables = night_variables(home, last, newest)
    _timed(found, "night", lambda: build(home, rows, variables, command, newest))
    told = log.read_bytes()[seen:].decode("utf-8", "replace")
    found["night"]["models"] = {name: float(seconds) for name, seconds in TOOK.findall(told)}


def _scored(home: Home, found: Found, last: date, model: TfidfLinear) -> None:
    """The snapshot of the night, and the scoring step's functions on what it holds."""
    support = SupportOutput()
    names = [name for name in (*support.features.values(), *support.facts.values()) if name != "dim_products"]
    tables = [dataset for dataset in FEATURES if dataset.name in names]
    with home.warehouse.session() as session:
        written = _timed(found, "snapshot", lambda: write_snapshot(home, session, tables, last))
        titles = session.read("select product_id, title from raw.products").to_pandas()
    snapshot = Snapshot(home.storage, written["snapshot"])
    features = {name: snapshot.frame(table) for name, table in support.features.items()}
    facts = {name: snapshot.frame(table) for name, table in support.facts.items() if table in names}
    facts["products"] = titles
    triage = _timed(found, "triage", lambda: model.predict(features))
    replies, counts = _timed(found, "replies", lambda: suggest(triage, features, facts, last))
    trends = _timed(found, "trends", lambda: ticket_trends(facts["ticket_products"], triage, last))
    found["rows"] = written["tables"] | {"ticket_triage": len(replies), "ticket_trends": len(trends)} | counts
    scored = sum(found[part]["wall_seconds"] for part in ("triage", "replies", "trends"))
    found["tickets_a_second"] = round(len(replies) / scored, 1)


def _timed(found: Found, name: str, work: Callable[[], T]) -> T:
    """Do a part: its seconds and its peak of memory are found under its name."""
    PEAK.write_text("5", "utf-8")
    before, begun = cpu_seconds(), time.perf_counter()
    done = work()
    spent = {"cpu_seconds": round(cpu_seconds() - before, 1), "wall_seconds": round(time.perf_counter() - begun, 1)}
    spent = done if isinstance(done, dict) and "cpu_seconds" in done else spent  # a build knows its own
    status = Path("/proc/self/status").read_text("utf-8")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    found[name] = dict(spent) | {"peak_mib": int(peak[1]) // 1024 if peak else None}
    print(json.dumps({name: found[name]}), flush=True)  # noqa: T201
    return done


if __name__ == "__main__":
    main()
