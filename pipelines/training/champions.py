"""Champions: which model serves an output from which night on, and where its files lie."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from models.protocol import Model
from pipelines.errors import StorageFault
from pipelines.home import Home
from pipelines.records import Row, champions, clock
from pipelines.scoring.outputs import Output
from pipelines.storage import digest_of, sha256_of

DIGESTS = "digests.json"  # of a model's files, by name
VERSION_DIGITS = 12


def champion_of(home: Home, output: str, as_of: date) -> Row | None:
    """The champion of an output on a night: the last decision that is in effect by then."""
    query = (
        sa.select(champions)
        .where(champions.c.output == output, champions.c.effective_from <= as_of)
        .order_by(champions.c.effective_from.desc(), champions.c.id.desc())
    )
    return home.records.first(query)


def crown(home: Home, output: str, version: Row, effective_from: date, decided_by: str, reason: str) -> Row:
    """Record a decision; the same one twice is one."""
    row = {
        "output": output,
        "model": version["model"],
        "model_version": version["model_version"],
        "trained_as_of": version["trained_as_of"],
        "effective_from": effective_from,
        "decided_by": decided_by,
        "decided_at": clock(),
        "reason": reason,
    }
    same = sa.and_(
        champions.c.output == output,
        champions.c.effective_from == effective_from,
        champions.c.model_version == version["model_version"],
    )
    home.records.replace(champions, [row], same)
    return row


def store_model(home: Home, output: str, model: Model, trained_as_of: date) -> Row:
    """Put a model's files into the store under a version named by their content."""
    folder = home.storage.scratch()
    try:
        model.save(folder)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        digests = {file.relative_to(folder).as_posix(): sha256_of(file) for file in files}
        version = f"{model.name}-{digest_of(digests)[:VERSION_DIGITS]}"
        for file in files:
            home.storage.put(_key(output, version, file.relative_to(folder).as_posix()), file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    home.storage.put_json(_key(output, version, DIGESTS), digests)
    return {"model": model.name, "model_version": version, "trained_as_of": trained_as_of}


def load_model(home: Home, output: Output, champion: Row) -> Model:
    """A stored model, its files checked against their digests first.

    Raises:
        StorageFault: a file is missing or is not what was stored.
    """
    version = champion["model_version"]
    hint = f"restore {_key(output.name, version, '')} in the store, or train again: `nightcart train {output.name} ...`"
    for name, digest in _digests(home, output.name, version, hint).items():
        if (found := sha256_of(_file(home, output.name, version, name, hint))) != digest:
            raise StorageFault(f"model file {version}/{name} has digest {found[:12]}, expected {digest[:12]}", hint)
    contestant = next((kind for kind in output.contestants() if kind.name == champion["model"]), None)
    if contestant is None:
        raise StorageFault(f"no contestant of {output.name} is called {champion['model']}", hint)
    folder = home.storage.path(_key(output.name, version, DIGESTS)).parent
    try:
        return contestant.load(folder)
    except ValueError as error:
        raise StorageFault(str(error), hint) from error


def _digests(home: Home, output: str, version: str, hint: str) -> dict[str, str]:
    """The digests of a model's files; the version is named after them."""
    try:
        digests: dict[str, str] = json.loads(_file(home, output, version, DIGESTS, hint).read_bytes())
    except ValueError:
        digests = {}
    if digest_of(digests)[:VERSION_DIGITS] != version.rsplit("-", 1)[-1]:
        raise StorageFault(f"model file {version}/{DIGESTS} is not what was stored", hint)
    return digests


def _file(home: Home, output: str, version: str, name: str, hint: str) -> Path:
    key = _key(output, version, name)
    if not home.storage.exists(key):
        raise StorageFault(f"model file {version}/{name} is missing", hint)
    return home.storage.path(key)


def _key(output: str, version: str, name: str) -> str:
    return f"models/{output}/{version}/{name}"
