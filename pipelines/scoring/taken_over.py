"""Lists of the night: candidates of customers of whom nothing changed are taken over, the others' are found anew.

What is kept is one file a model, replaced by each night that is scored. It only saves work: a row is taken over where
its customer's fingerprint is tonight's, whichever night wrote it, and without the file all customers are scored.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from models.protocol import Features
from models.recommendations.frames import with_purchases_of
from models.recommendations.lists import PersonalLists
from models.recommendations.popular import BOUGHT
from models.recommendations.purchases import CANDIDATE_COLUMNS
from pipelines.errors import StorageFault
from pipelines.home import Home, code_digest
from pipelines.scoring.outputs import Counts
from pipelines.storage import write_parquet

FOLDER = "candidates"
FINGERPRINT = "fingerprint"
COLUMNS = [*CANDIDATE_COLUMNS, FINGERPRINT]
SEAL_BYTES = 32


def lists_of(home: Home, model: Any, features: Features, version: str) -> tuple[pd.DataFrame, Counts]:
    """The model's lists of one cut-off, the same as `model.predict`; how many customers were scored, and taken over."""
    prints = model.fingerprints(features) if isinstance(model, PersonalLists) else None
    if prints is None:
        return model.predict(features), {"scored_anew": features[BOUGHT]["customer_id"].nunique(), "taken_over": 0}
    kept = _read(home, version)
    kept = kept[kept[FINGERPRINT].to_numpy() == prints.reindex(kept["customer_id"]).to_numpy()]
    changed = prints.index.difference(kept["customer_id"])
    found = model.candidates(with_purchases_of(features, pd.Series(changed)))
    asked = pd.DataFrame({"customer_id": changed, FINGERPRINT: prints.loc[changed].to_numpy()})
    found = asked.merge(found, how="left", on="customer_id")[COLUMNS].astype(kept.dtypes)  # without rows too: a null
    whole = pd.concat([kept, found]).sort_values("customer_id", kind="stable", ignore_index=True)
    _write(home, version, whole)
    found = whole.loc[whole["product_id"].notna(), CANDIDATE_COLUMNS].reset_index(drop=True)
    return model.predict(features, found), {"scored_anew": len(changed), "taken_over": len(prints) - len(changed)}


def key_of(version: str) -> str:
    """Where a model's last candidates lie."""
    return f"{FOLDER}/{version}.sealed"


def _read(home: Home, version: str) -> pd.DataFrame:
    """What the last night kept; no rows where that is missing, damaged, or of other code."""
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    schema = schema.set(COLUMNS.index("score"), pa.field("score", pa.float64()))
    try:
        raw = home.storage.path(key_of(version)).read_bytes()
    except StorageFault:  # missing, or not what was sent to the bucket
        raw = b""
    content = raw[SEAL_BYTES:]
    if raw[:SEAL_BYTES] != _seal(version, content):
        return schema.empty_table().to_pandas()
    return pq.read_table(pa.BufferReader(content)).cast(schema).to_pandas()


def _write(home: Home, version: str, rows: pd.DataFrame) -> None:
    """Replace what is kept, in one piece."""
    file = home.storage.scratch()
    try:
        write_parquet(pa.Table.from_pandas(rows, preserve_index=False), file)
        content = file.read_bytes()
        file.write_bytes(_seal(version, content) + content)
        home.storage.put(key_of(version), file)
    finally:
        file.unlink(missing_ok=True)


def _seal(version: str, content: bytes) -> bytes:
    return hashlib.sha256(f"{version} {code_digest()} ".encode() + content).digest()
