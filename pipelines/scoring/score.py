"""Score: tonight's predictions of one output's champion, written as the tables of the night's release."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa

from pipelines.catalog import OUTPUT_TABLES, Dataset
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.records import Row
from pipelines.scoring.outputs import Counts, Output, Tables, output_of
from pipelines.training.champions import champion_of, load_model


def score(home: Home, as_of: date, output: str) -> Row:
    """Predict with the champion of the night, from the night's snapshot alone; skipped where something is missing.

    Raises:
        StorageFault: the champion's files or the snapshot are missing or not what was written.
    """
    from pipelines.publishing.release import night_release_id, skipped_of

    release_id, skipped = night_release_id(home, as_of), skipped_of(home, as_of)
    spec, champion = output_of(output), champion_of(home, output, as_of)
    datasets = [dataset for dataset in OUTPUT_TABLES if dataset.output == output]
    why = skipped.get(output) or (None if champion else _untrained(home, as_of, output))
    tables, counts = ({}, {}) if why or champion is None else _tables(home, as_of, spec, champion)
    rows = {}
    for dataset in datasets:
        table = as_table(None if dataset.name in skipped else tables.get(dataset.name), dataset)
        home.storage.put_table(f"releases/{release_id}/{dataset.name}.parquet", table)
        rows[dataset.name] = table.num_rows
    return {
        "output": output,
        "release_id": release_id,
        "tables": rows,
        "model_version": champion["model_version"] if champion and not why else None,
        "skipped": why,
        "skipped_tables": {dataset.name: skipped[dataset.name] for dataset in datasets if dataset.name in skipped},
        "unserved": 0,
    } | counts


def _tables(home: Home, as_of: date, spec: Output, champion: Row) -> tuple[Tables, Counts]:
    snapshot = Snapshot(home.storage, home.records.result(as_of, "build_features")["snapshot"])
    features = spec.tonight({table: snapshot.frame(table) for table in spec.features.values()}, as_of)
    facts = {name: snapshot.frame(table) for name, table in spec.facts.items()}
    model = load_model(home, spec, champion)
    return spec.tables(home, as_of, model, features, facts, champion["model_version"])


def _untrained(home: Home, as_of: date, output: str) -> str:
    """Why the night has no champion."""
    untrained = home.records.result(as_of, "train_first_champions").get("untrained", {})
    return str(untrained.get(output) or "no champion: run `nightcart step train_first_champions` first")


def as_table(frame: pd.DataFrame | None, dataset: Dataset) -> pa.Table:
    """The rows as the catalogue types them, sorted by the key; typed too where there are none."""
    if frame is None or frame.empty:
        return dataset.schema.empty_table()
    table = pa.Table.from_pandas(frame[dataset.column_names], schema=dataset.schema, preserve_index=False)
    return table.sort_by([(column, "ascending") for column in dataset.key])
