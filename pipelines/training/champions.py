"""Champions: which model serves an output from which night on, and where its files lie."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from models.protocol import Model
from pipelines.errors import StorageFault
from pipelines.home import Home
from pipelines.records import Row, champions, clock, nights
from pipelines.scoring.outputs import Output
from pipelines.storage import digest_of, sha256_of

DIGESTS = "digests.json"  # of a model's files, by name
VERSION_DIGITS = 12


def champion_of(home: Home, output: str, as_of: date) -> Row | None:
    """The champion of an output on a night: the last decision that is in effect by then."""
    return home.records.first(_in_effect(output, as_of))


def _in_effect(output: str, as_of: date) -> sa.Select[Any]:
    decided = champions.c
    query = sa.select(champions).where(decided.output == output, decided.effective_from <= as_of)
    return query.order_by(decided.effective_from.desc(), decided.id.desc())


def decisions_of(home: Home, output: str) -> list[Row]:
    """All decisions on an output in the order in which they take effect; the last one is the champion from then on."""
    query = sa.select(champions).where(champions.c.output == output)
    return home.records.rows(query.order_by(champions.c.effective_from, champions.c.id))


def night_after(home: Home, as_of: date) -> date:
    """The first night that a decision made now may change: after as_of, and after every night that ever began.

    So what earlier nights serve never changes, however they are run again.
    """
    return max(as_of, newest_night(home) or as_of) + timedelta(days=1)


def newest_night(home: Home) -> date | None:
    """The newest night that ever began."""
    newest: date | None = (home.records.first(sa.select(sa.func.max(nights.c.as_of).label("as_of"))) or {}).get("as_of")
    return newest


class Rival(NamedTuple):
    """Who a training's challenger is compared with, and from which night it would serve."""

    start: date
    serving: Row | None
    again: str | None = None  # the version that this training promoted before, where it is run again


def rivals(home: Home, output: str, as_of: date, decided_by: str) -> list[Rival]:
    """What a training as of a date is compared with.

    That is who serves on the first night that it could change; nobody where nobody does. Where that is what the same
    training promoted, it may be a retry: first as it was then, to decide the same again if the model is the same.
    """
    if champion_of(home, output, as_of + timedelta(days=1)) is None:
        return [Rival(as_of, None)]
    start = night_after(home, as_of)
    serving = champion_of(home, output, start)
    found = [Rival(start, serving)]
    if serving and (serving["trained_as_of"], serving["decided_by"]) == (as_of, decided_by):
        before = _in_effect(output, serving["effective_from"]).where(champions.c.id < serving["id"])
        found.insert(0, Rival(serving["effective_from"], home.records.first(before), serving["model_version"]))
    return found


def crown(home: Home, output: str, version: Row, effective_from: date, decided_by: str, reason: str) -> Row:
    """Record a decision; the same one twice is one."""
    row = _decision(output, version, effective_from, decided_by, reason)
    home.records.replace(champions, [row], _same(row))
    return row


def succeed(
    home: Home, output: str, version: Row, effective_from: date, decided_by: str, reason: str, over: Row | None
) -> bool:
    """Record a decision unless another was made since `over` served: it was not compared with what serves now.

    over: the champion on effective_from as the one who decides knew it; null where there was none.
    """
    row = _decision(output, version, effective_from, decided_by, reason)
    with home.records.alone() as connection:
        found = connection.execute(_in_effect(output, effective_from).limit(1)).mappings().first()
        is_again = found is not None and found["model_version"] == version["model_version"]
        if (found["id"] if found else None) != (over["id"] if over else None) and not is_again:
            return False
        connection.execute(sa.delete(champions).where(_same(row)))
        connection.execute(sa.insert(champions), [row])
    return True


def _decision(output: str, version: Row, effective_from: date, decided_by: str, reason: str) -> Row:
    return {
        "output": output,
        "model": version["model"],
        "model_version": version["model_version"],
        "trained_as_of": version["trained_as_of"],
        "effective_from": effective_from,
        "decided_by": decided_by,
        "decided_at": clock(),
        "reason": reason,
    }


def _same(row: Row) -> sa.ColumnElement[bool]:
    return sa.and_(*(champions.c[name] == row[name] for name in ("output", "effective_from", "model_version")))


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


def is_stored(home: Home, output: str, version: str) -> bool:
    """Whether the files of a version are still in the store; `nightcart prune` removes those that never served."""
    return home.storage.exists(_key(output, version, DIGESTS))


def _key(output: str, version: str, name: str) -> str:
    return f"models/{output}/{version}/{name}"
