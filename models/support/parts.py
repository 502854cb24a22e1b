"""Parts: classifiers of texts that a support model stacks, each with its own view of a text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from models.files import corrupt

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
Read = Callable[[str], bytes]
"""The bytes of one of the model's files by name."""
BLOCK = 512
"""Texts compared with all others at once."""


class View(NamedTuple):
    """What a part makes of n texts: a logit of each of C intents [n, C].

    likeness [n]: cosine to the nearest text learnt from; None: the part compares with none.
    """

    logits: Floats
    likeness: Floats | None = None


class Machine(NamedTuple):
    """What a part computes with. encoder: a folder in the Hugging Face format; sha256: of its weights."""

    seed: int = 7
    threads: int = 1
    device: str = "cpu"
    minutes: float | None = None
    encoder: Path | None = None
    sha256: str | None = None


class Part(ABC):
    """A classifier of texts. classes: the intents that it was fitted on, sorted; the columns of its logits."""

    name: ClassVar[str]

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.classes: list[str] = []

    @abstractmethod
    def fit(self, texts: Sequence[str], labels: NDArray[Any]) -> Self:
        """Learn the intents [n] of texts."""

    @abstractmethod
    def view(self, texts: Sequence[str]) -> View:
        """What it makes of texts, one or more."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes that it holds, about."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What of it is stored as JSON."""

    @abstractmethod
    def files(self) -> dict[str, bytes]:
        """What of it is stored as files, by name."""

    @abstractmethod
    def restore(self, settings: Mapping[str, Any], read: Read) -> Self:
        """Take over what `settings` and `files` gave."""


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as safetensors, equal ones as equal bytes."""
    return bytes(save_arrays({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}))


def unpacked(raw: bytes, path: Path, model: str, names: Sequence[str]) -> Arrays:
    """The arrays of a safetensors file; raises ValueError where it is none, or lacks a name."""
    try:
        found: Arrays = load_arrays(raw)
    except SafetensorError as error:
        raise corrupt(path, model, str(error)) from error
    if missing := sorted(set(names) - set(found)):
        raise corrupt(path, model, f"found no {missing[0]}")
    return found


def nearest(vectors: NDArray[Any], others: NDArray[Any]) -> Floats:
    """[n] the greatest cosine of each [n, D] to any of [m, D]; rows are of length 1, or 0."""
    known = others.astype(np.float32)
    blocks = [vectors[at : at + BLOCK].astype(np.float32) @ known.T for at in range(0, len(vectors), BLOCK)]
    return np.concatenate([block.max(axis=1) for block in blocks]).astype(np.float64) if blocks else np.zeros(0)


def rows_of_length_one(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n, D] each row divided by its length; rows of zeros stay."""
    length = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)
