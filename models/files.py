"""Model files: JSON for settings, binary files by digest, deterministic bytes, errors that name the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SETTINGS_FILE = "settings.json"
DIGESTS = "sha256"
_ADVICE = "restore the folder from storage, or train the model again"


def write_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write `settings.json` with sorted keys, so that equal settings give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dict(settings), indent=2, sort_keys=True, allow_nan=False)
    (folder / SETTINGS_FILE).write_text(text + "\n", encoding="utf-8")


def read_settings(folder: Path, model: str) -> dict[str, Any]:
    """Read `settings.json` of a model named `model`.

    Raises ValueError where the file is missing, is no JSON object, or belongs to another model.
    """
    raw = read_bytes(folder / SETTINGS_FILE, model)
    try:
        settings = json.loads(raw)
    except ValueError as error:
        raise corrupt(folder / SETTINGS_FILE, model, str(error)) from error
    if not isinstance(settings, dict):
        raise corrupt(folder / SETTINGS_FILE, model, f"found a {type(settings).__name__}, expected an object")
    if settings.get("model") != model:
        raise corrupt(folder / SETTINGS_FILE, model, f"it belongs to the model {settings.get('model')!r}")
    return settings


def take(settings: Mapping[str, Any], key: str, kind: type, folder: Path) -> Any:
    """The value of `key`, checked to be of `kind`; raises ValueError otherwise."""
    value = settings.get(key)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        found = f"{key} is {value!r}, expected {kind.__name__}"
        raise corrupt(folder / SETTINGS_FILE, str(settings.get("model")), found)
    return value


def write_model(folder: Path, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write `settings.json`, with the digests of the other files, and these files beside it."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    write_settings(folder, dict(settings) | {DIGESTS: digests})
    for name, content in files.items():
        (folder / name).write_bytes(content)


def read_checked(folder: Path, settings: Mapping[str, Any], name: str) -> bytes:
    """The bytes of a file that `write_model` wrote; raises ValueError where they are not those of its digest."""
    raw = read_bytes(folder / name, str(settings.get("model")))
    if hashlib.sha256(raw).hexdigest() != take(settings, DIGESTS, dict, folder).get(name):
        raise corrupt(folder / name, str(settings.get("model")), f"its SHA-256 is not the one in {SETTINGS_FILE}")
    return raw


def read_bytes(path: Path, model: str) -> bytes:
    """The bytes of a model file; raises ValueError where it is missing or empty."""
    if not path.is_file():
        raise corrupt(path, model, "the file is missing")
    raw = path.read_bytes()
    if not raw:
        raise corrupt(path, model, "the file has no bytes")
    return raw


def corrupt(path: Path, model: str, found: str) -> ValueError:
    """The error for a model file that cannot be used: what was found and what to do."""
    return ValueError(f"cannot load model {model} from {path}: {found}; {_ADVICE}")
