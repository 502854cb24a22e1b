"""Exposure: what customers bought and clicked who were shown the model's lists, against those who were held out.

Each night takes the release of 28 nights before, and what its customers did since as known tonight. Who was held out
was drawn by chance before, so the two differ by their lists alone; customers are compared by what they were meant to be
shown, whether or not they looked.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import sqlalchemy as sa

from models.bootstrap import apart, entities_needed, interval
from models.metrics import DENOMINATOR, NUMERATOR
from models.recommendations.holdout import HOLDOUT, MODEL
from pipelines.errors import StorageFault
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.monitoring.realised import published_rows, releases_of
from pipelines.publishing.manifest import read_manifest
from pipelines.publishing.release import snapshots_of
from pipelines.records import ALL, Row, model_performance, releases
from pipelines.training.evaluate import stated

OUTPUT = "recommendations"
DAYS = 28  # as the features count what customers ordered
EFFECT = 0.05  # relative gain that the size of a hold-out is told for
MEASURES = ("orders", "units", "money", "buyers", "list_buyers", "clicks")
"""Per customer; list_buyers: share who bought something that was on their list; clicks: by impression."""
METRICS = [f"{kind}_{name}" for name in MEASURES for kind in ("arm", "added", "lift")]


def exposure(home: Home, as_of: date) -> Row:
    """Put the figures of both arms and the lift into `model_performance`; returns them, or why there are none.

    needed: customers of the hold-out by which a gain of EFFECT in buyers would be seen in four of five cases.
    """
    since = as_of - timedelta(days=DAYS)
    figures: list[Row] = []
    result: Row = {"since": str(since), "missing": None, "needed": None}
    try:
        release = _release(home, since)
        outcomes = followed(home, release, as_of)
        figures = _figures(home, outcomes, release["model_versions"][OUTPUT], as_of)
        share = float((outcomes["arm"] == HOLDOUT).mean())
        needed = entities_needed(_measured(outcomes, "buyers"), share, effect=EFFECT)
        result |= {"release_id": release["release_id"], "needed": round(needed) if np.isfinite(needed) else None}
    except StorageFault as fault:
        result["missing"] = str(fault)
    measured = model_performance.c
    same = (measured.output == OUTPUT) & (measured.as_of == as_of) & measured.metric.in_(METRICS)
    home.records.replace(model_performance, figures, same)
    shown = ("metric", "segment", "value", "ci_low", "ci_high", "n")
    return result | {"figures": [{name: row[name] for name in shown} for row in figures]}


def followed(home: Home, release: Row, as_of: date) -> pd.DataFrame:
    """By customer of the release: `arm`, and what they did in the 28 days before as_of, as MEASURES name it.

    Raises:
        StorageFault: there is no hold-out in the release, or a file is gone or is not what was written.
    """
    lists = _lists(home, release["release_id"], ["customer_id", "product_id", "arm"])
    arms = lists.drop_duplicates("customer_id").set_index("customer_id")["arm"].sort_index()
    if HOLDOUT not in set(arms) or MODEL not in set(arms):
        raise StorageFault(
            f"nobody is held out in release {release['release_id']}", "set recommendations.holdout_share"
        )
    snapshot = Snapshot(home.storage, snapshots_of(home, as_of)[0])
    ordered = snapshot.frame("features_customer_orders").set_index("customer_id").reindex(arms.index)
    found = pd.DataFrame({"arm": arms, "orders": ordered["orders"], "units": ordered["units"]})
    found["money"] = ordered["revenue"]
    found["buyers"] = (found["orders"] > 0).astype("float64")
    bought = snapshot.frame("features_customer_products", ["customer_id", "product_id", "last_bought_on"])
    bought = bought[bought["last_bought_on"] >= pd.Timestamp(as_of - timedelta(days=DAYS))]
    hits = lists.merge(bought, on=["customer_id", "product_id"])["customer_id"].unique()
    found["list_buyers"] = found.index.isin(hits)
    clicked = _clicked(home, snapshot.frame("features_exposure"), as_of, arms)
    return found.fillna({name: 0.0 for name in MEASURES if name in found}).join(clicked)


def _clicked(home: Home, shown: pd.DataFrame, as_of: date, arms: pd.Series) -> pd.DataFrame:
    """By customer, impressions and clicks of releases of the 28 nights in which they were in the same arm."""
    found = []
    is_between = (releases.c.as_of >= as_of - timedelta(days=DAYS)) & (releases.c.as_of < as_of)
    named = releases.c.release_id.in_(sorted(shown["shown_release_id"].unique())) & is_between
    for row in home.records.rows(sa.select(releases.c.release_id).where(named).order_by(releases.c.release_id)):
        own = shown[shown["shown_release_id"] == row["release_id"]].set_index("customer_id")
        then = _lists(home, row["release_id"], ["customer_id", "arm", "rank"])
        then = then[then["rank"] == 1].set_index("customer_id")["arm"]
        is_same = then.reindex(own.index).to_numpy() == arms.reindex(own.index).to_numpy()
        found.append(own.loc[is_same, ["impressions", "clicks"]])
    columns = pd.DataFrame({"impressions": [], "clicks": []}, dtype="float64")
    return pd.concat([columns, *found]).groupby(level=0).sum()


def _release(home: Home, night: date) -> Row:
    row = releases_of(home, [night]).get(night)
    if row is None or OUTPUT in row["skipped"]:
        raise StorageFault(f"the night of {night} has no release with {OUTPUT}", f"backfill {night}")
    return row


def _lists(home: Home, release_id: str, columns: list[str]) -> pd.DataFrame:
    return published_rows(home, read_manifest(home, release_id), OUTPUT, columns)


def _measured(outcomes: pd.DataFrame, name: str) -> pd.DataFrame:
    """One measure as numerators and denominators by customer."""
    if name == "clicks":
        seen = outcomes[outcomes["impressions"] > 0]
        return pd.DataFrame({NUMERATOR: seen["clicks"], DENOMINATOR: seen["impressions"]})
    return pd.DataFrame({NUMERATOR: outcomes[name].astype("float64"), DENOMINATOR: 1.0})


def _figures(home: Home, outcomes: pd.DataFrame, version: str, as_of: date) -> list[Row]:
    """Of each measure that somebody has: both arms, what the model adds per customer, and the lift."""
    confidence, seed = home.settings.gate.confidence, home.settings.compute.seed
    shared = {"output": OUTPUT, "model": version.rpartition("-")[0], "model_version": version, "as_of": as_of}
    shared |= {"labels_mature_until": as_of, "kind": "realised"}
    found = []
    for name in MEASURES:
        arms = {arm: _measured(outcomes[outcomes["arm"] == arm], name) for arm in (MODEL, HOLDOUT)}
        if not all(len(rows) for rows in arms.values()):
            continue
        added, lift = apart(arms[MODEL], arms[HOLDOUT], confidence=confidence, seed=seed)
        for arm, rows in arms.items():
            own = interval(rows, confidence=confidence, seed=seed)
            found.append(
                shared | {"metric": f"arm_{name}", "segment": f"arm={arm}", "n": len(rows)} | stated(own, "value")
            )
        both = {"segment": ALL, "n": sum(len(rows) for rows in arms.values())}
        found.append(shared | both | {"metric": f"added_{name}"} | stated(added, "value"))
        found.append(shared | both | {"metric": f"lift_{name}"} | stated(lift, "value"))
    return found
