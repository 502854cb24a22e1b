"""Realised performance: what past releases said, measured against what has come true by tonight.

A function of published releases and of what the night's snapshot knows; nothing is kept but the figures. A label that
comes late enters on the night that knows it, while the release that it judges is within the last four weeks of those
whose outcomes are known. Until then it counts as nothing, and never as what did not happen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
import pyarrow.parquet as pq
import sqlalchemy as sa

from pipelines.catalog import DATASETS
from pipelines.errors import StorageFault
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.publishing.manifest import Manifest, checked_files, read_manifest
from pipelines.publishing.release import snapshots_of
from pipelines.records import Row, model_performance, releases
from pipelines.scoring.frames import Frames
from pipelines.scoring.outputs import Output
from pipelines.training.cutoffs import judged_nights
from pipelines.training.evaluate import Evaluation, figures_of

VERSION = "model_version"


@dataclass(frozen=True)
class Told:
    """What the release of one night said of an output, with `as_of`, and the features it said it of."""

    rows: pd.DataFrame
    frames: Frames


def realised(home: Home, output: Output, as_of: date) -> Row:
    """Figures of the models that made past releases, put into `model_performance` in the place of the night's own.

    Returns how many nights were judged, and by reason how many were not.
    """
    nights = judged_nights(home, as_of)[output.name]
    published = releases_of(home, nights)
    missing = Counter({"no release": len(nights) - len(published)} if len(nights) > len(published) else {})

    def tell(night: date) -> Told | None:
        try:
            return told(home, output, published[night])
        except StorageFault as fault:  # skipped, or pruned since: the others are judged
            missing[str(fault)] += 1
            return None

    evaluations: dict[str, Evaluation] = {}
    if published:
        truth = Snapshot(home.storage, snapshots_of(home, as_of)[0]).frame(output.targets)
        evaluations = judge(home, output, sorted(published), tell, truth, as_of)
    rows = [
        row
        | {"model": evaluation.model, VERSION: version, "as_of": as_of}
        | {"labels_mature_until": nights[-1], "kind": "realised"}
        for version, evaluation in sorted(evaluations.items())
        for row in figures_of(home, output, evaluation)
        if row["n"]
    ]
    measured = model_performance.c
    same = sa.and_(measured.output == output.name, measured.as_of == as_of, measured.kind == "realised")
    home.records.replace(model_performance, rows, same)
    return {"nights": len(nights) - missing.total(), "missing": dict(missing), "labels_mature_until": str(nights[-1])}


def judge(
    home: Home,
    output: Output,
    nights: Sequence[date],
    tell: Callable[[date], Told | None],
    truth: pd.DataFrame,
    as_of: date,
) -> dict[str, Evaluation]:
    """How what was told on each of the nights came true, by the version of the model that said it.

    truth: the output's targets, as known at as_of.
    """
    found: dict[str, Evaluation] = {}
    for cutoff, together in output.cutoffs_of(nights).items():
        said = [one for night in together if (one := tell(night)) is not None]
        if not said:
            continue
        frames = {table: _said_first(table, [one.frames[table] for one in said]) for table in said[0].frames}
        features, known = output.judging({**frames, output.targets: truth}, cutoff, as_of)
        rows = _said_first(output.published, [one.rows for one in said])
        for version, own in rows.groupby(VERSION, sort=True) if len(known) else ():
            predictions, outcomes = output.as_published(home, own.reset_index(drop=True), known)
            evaluation = found.setdefault(str(version), Evaluation(str(version).rsplit("-", 1)[0]))
            evaluation.measures[cutoff] = output.measure(home, predictions, features, outcomes)
            evaluation.members[cutoff] = output.segments(features)
    return found


def releases_of(home: Home, nights: Sequence[date]) -> dict[date, Row]:
    """The release of each night that has one: the one published last that was not taken back."""
    which = releases.c.as_of.in_(nights) & (releases.c.status != "rolled_back")
    found = sa.select(releases).where(which).order_by(releases.c.published_at)
    return {row["as_of"]: row for row in home.records.rows(found)}


def told(home: Home, output: Output, release: Row) -> Told:
    """What a release said.

    Raises:
        StorageFault: the output was skipped, or a file is gone or is not what was written.
    """
    table, manifest = output.published, read_manifest(home, release["release_id"])
    if why := manifest["skipped"].get(table) or manifest["skipped"].get(output.name):
        raise StorageFault(f"skipped: {why}")
    rows = published_rows(home, manifest, table)
    snapshot = Snapshot(home.storage, manifest["snapshots"][0])
    described = [name for name in output.described.values() if name in snapshot.parts]
    frames = {name: snapshot.frame(name) for name in (*output.features.values(), *described)}
    return Told(rows.assign(as_of=pd.Timestamp(release["as_of"])), frames)


def published_rows(home: Home, manifest: Manifest, table: str, columns: list[str] | None = None) -> pd.DataFrame:
    """A table of a release, all columns or these.

    Raises:
        StorageFault: a file is gone or is not what was written.
    """
    files = checked_files(home, {"tables": {table: manifest["tables"][table]}})[table]
    parts = [pq.read_table(file, columns=columns).to_pandas(date_as_object=False) for file in files]
    return pd.concat(parts, ignore_index=True)


def _said_first(table: str, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of several nights in order; what is said of an event again, a night later, is left out."""
    if len(parts) == 1:
        return parts[0]
    return pd.concat(parts, ignore_index=True).drop_duplicates(list(DATASETS[table].key), ignore_index=True)
