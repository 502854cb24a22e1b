"""Score: tonight's predictions of one output's champion, written as the tables of the night's release."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa

from pipelines.catalog import OUTPUT_TABLES, Dataset
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.records import Row
from pipelines.scoring.outputs import features_of, output_of
from pipelines.training.champions import champion_of, load_model


def score(home: Home, as_of: date, output: str) -> Row:
    """Predict with the champion of the night, from the night's snapshot alone.

    Raises:
        StorageFault: the champion's files or the snapshot are missing or not what was written.
    """
    from pipelines.publishing.release import night_release_id

    release_id = night_release_id(home, as_of)
    spec, champion = output_of(output), champion_of(home, output, as_of)
    snapshot = Snapshot(home.storage, home.records.result(as_of, "build_features")["snapshot"])
    frames = {table: snapshot.frame(table) for table in spec.features.values()}
    datasets = [dataset for dataset in OUTPUT_TABLES if dataset.output == output]
    if champion is None:
        tables, skipped, unserved = {}, "no champion: run `nightcart step train_first_champions` first", 0
    else:
        model = load_model(home, spec, champion)
        features = features_of(spec, frames, [as_of])
        tables, skipped = spec.tables(home, as_of, model, features, champion["model_version"]), None
        unserved = spec.unserved(features, tables)
    rows = {}
    for dataset in datasets:
        table = as_table(tables.get(dataset.name), dataset)
        home.storage.put_table(f"releases/{release_id}/{dataset.name}.parquet", table)
        rows[dataset.name] = table.num_rows
    version = champion["model_version"] if champion else None
    result = {"output": output, "release_id": release_id, "tables": rows, "model_version": version}
    return result | {"skipped": skipped, "unserved": unserved}


def as_table(frame: pd.DataFrame | None, dataset: Dataset) -> pa.Table:
    """The rows as the catalogue types them, sorted by the key; typed too where there are none."""
    if frame is None or frame.empty:
        return dataset.schema.empty_table()
    table = pa.Table.from_pandas(frame[dataset.column_names], schema=dataset.schema, preserve_index=False)
    return table.sort_by([(column, "ascending") for column in dataset.key])
