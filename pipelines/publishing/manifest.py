"""A release's own list of its files, `release.json`: enough to publish it again years later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipelines.catalog import MARTS, OUTPUT_TABLES
from pipelines.errors import NightcartError, StorageFault
from pipelines.home import Home
from pipelines.publishing.release import Scored, manifest_key, models_of, night_release_id, snapshots_of
from pipelines.storage import sha256_of

Manifest = dict[str, Any]
RELEASE_TABLES = OUTPUT_TABLES + MARTS


def table_key(release_id: str, table: str) -> str:
    """Where an output table of a release lies."""
    return f"releases/{release_id}/{table}.parquet"


def output_files(home: Home, scores: Mapping[str, Scored]) -> dict[str, list[Path]]:
    """The file of each output table; none for one that was skipped."""
    return {
        dataset.name: []
        if (scored := scores[str(dataset.output)]).why_skipped(dataset.name)
        else [home.storage.path(table_key(scored.release_id, dataset.name))]
        for dataset in OUTPUT_TABLES
    }


def all_skipped(scores: Mapping[str, Scored]) -> dict[str, str]:
    """Outputs, and single tables of others, that are not there tonight, with the reason."""
    outputs = {output: scored.skipped for output, scored in scores.items() if scored.skipped}
    tables = [scored.skipped_tables for scored in scores.values() if not scored.skipped]
    return outputs | {table: reason for skipped in tables for table, reason in skipped.items()}


def snapshot_files(home: Home, as_of: date, table: str) -> list[Path]:
    """The files of one table of the night's snapshot."""
    from pipelines.features.snapshot import Snapshot

    return [file for digest in snapshots_of(home, as_of) for file in Snapshot(home.storage, digest).files(table)]


def write_manifest(home: Home, as_of: date, scores: Mapping[str, Scored]) -> Manifest:
    """Write the release's list of files; the same release gives the same bytes.

    Raises:
        NightcartError: the disk is full.
    """
    release_id = night_release_id(home, as_of)
    files = output_files(home, scores) | {mart.name: snapshot_files(home, as_of, mart.name) for mart in MARTS}
    manifest: Manifest = {
        "release_id": release_id,
        "as_of": as_of.isoformat(),
        "tables": {name: _listed(home, found) for name, found in files.items()},
        "snapshots": snapshots_of(home, as_of),
        "models": models_of(home, as_of),
        "settings": home.settings.in_digest(),
        "inputs_digest": home.inputs_digest,
        "skipped": all_skipped(scores),
    }
    try:
        home.storage.put_json(manifest_key(release_id), manifest)
    except OSError as error:
        raise NightcartError(
            f"could not write {manifest_key(release_id)}: {error}",
            "the release before it is still the one readers see; make room on the disk and run the night again",
        ) from error
    return manifest


def read_manifest(home: Home, release_id: str) -> Manifest:
    """The list of files of a release.

    Raises:
        StorageFault: it is gone, or is not what was written.
    """
    key = manifest_key(release_id)
    try:
        manifest: Manifest = home.storage.read_json(key)
    except ValueError as error:
        raise StorageFault(
            f"{key} is not JSON: {error}", "restore it from a backup, or choose another release"
        ) from error
    if manifest.get("release_id") != release_id:
        raise StorageFault(f"{key} is of release {manifest.get('release_id')}", "restore it, or choose another release")
    return manifest


def checked_files(home: Home, manifest: Manifest) -> dict[str, list[Path]]:
    """The files of each table of a release, each found to be what was written.

    Raises:
        StorageFault: a file is gone or has other content.
    """
    return {name: [_checked(home, part) for part in table["files"]] for name, table in manifest["tables"].items()}


def rows_of(manifest: Manifest) -> dict[str, int]:
    """Rows of each table of a release."""
    return {name: table["rows"] for name, table in manifest["tables"].items()}


def digests_of(manifest: Manifest) -> dict[str, list[str]]:
    """The SHA-256 of each file of each table of a release."""
    return {name: [part["sha256"] for part in table["files"]] for name, table in manifest["tables"].items()}


def _listed(home: Home, files: list[Path]) -> dict[str, Any]:
    return {
        "rows": sum(pq.read_metadata(file).num_rows for file in files),
        "files": [{"key": home.storage.key_of(file), "sha256": sha256_of(file)} for file in files],
    }


def _checked(home: Home, part: Mapping[str, str]) -> Path:
    file = home.storage.path(part["key"])
    if (found := sha256_of(file)) != part["sha256"]:
        raise StorageFault(
            f"{part['key']} has SHA-256 {found[:12]}..., expected {part['sha256'][:12]}...",
            "the file was changed or damaged: restore it from a backup, or choose another release",
        )
    return file
