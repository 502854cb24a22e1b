"""A training's state as one safetensors file, replaced in one piece."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor


def write_checkpoint(
    path: Path, identity: dict[str, Any], progress: dict[str, Any], tensors: dict[str, Tensor]
) -> None:
    """Write the state; a kill leaves the older file or the newer one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    metadata = {"identity": json.dumps(identity, sort_keys=True), "progress": json.dumps(progress)}
    save_file({name: value.contiguous() for name, value in tensors.items()}, partial, metadata)
    partial.replace(path)


def read_checkpoint(path: Path, identity: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Fill `tensors` in place and give the progress; nothing, where there is no file.

    Raises ValueError where the file is damaged or of another training.
    """
    if not path.is_file():
        return {}
    try:
        with safe_open(path, framework="pt") as found, torch.no_grad():
            metadata = found.metadata() or {}
            if metadata.get("identity") != json.dumps(identity, sort_keys=True):
                raise ValueError(
                    f"checkpoint {path} is of another training (other recipe, sizes or events): remove it to begin anew"
                )
            for name, value in tensors.items():
                value.copy_(found.get_tensor(name))
            progress: dict[str, Any] = json.loads(metadata["progress"])
            return progress
    except SafetensorError as error:
        raise ValueError(f"checkpoint {path} cannot be read: {error}; remove it to begin anew") from error


def curve_so_far(path: Path | None) -> list[dict[str, float]]:
    """The learning curve of an unfinished training, for the record; nothing where there is no such file."""
    if path is None or not path.is_file():
        return []
    with safe_open(path, framework="pt") as found:
        curve: list[dict[str, float]] = json.loads((found.metadata() or {})["progress"])["curve"]
    return curve
