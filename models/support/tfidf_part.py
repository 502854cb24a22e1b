"""The part of words and characters: TF-IDF with linear support vectors."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.support.linear import Linear, fit_linear
from models.support.parts import Machine, Part, Read, View, nearest, packed, rows_of_length_one, unpacked
from models.support.vectors import KINDS, Vectors

SKETCH = 512
"""Numbers that a text's characters are folded into to compare it with all others."""
_ARRAYS, _TERMS = "tfidf.safetensors", "terms.json"
_WEIGHTS, _INTERCEPTS, _SKETCHES = "weights", "intercepts", "sketches"


class TfidfPart(Part):
    """TF-IDF of words and characters with linear support vectors (Joachims 1998), one intent against the rest.

    Likeness: by TF-IDF of characters, folded into 512 numbers by signed hashing (Weinberger et al. 2009).
    Texts are not stored, but terms of at least two tickets are.
    """

    name: ClassVar[str] = "tfidf"

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.vectors = Vectors()
        self.linear: Linear | None = None
        self.sketches = np.zeros((0, SKETCH), np.float16)
        self._fold: sparse.csr_array | None = None

    def fit(self, texts: Sequence[str], labels: NDArray[Any]) -> Self:
        """Learn terms, margins and sketches."""
        self.vectors, self._fold = Vectors().fit(texts), None
        vectors = self.vectors.all(texts)
        self.linear = fit_linear(vectors, labels, seed=self.machine.seed)
        self.classes = self.linear.classes
        self.sketches = self._sketched(vectors)
        return self

    def view(self, texts: Sequence[str]) -> View:
        """Margins, and the cosine of sketches."""
        if self.linear is None:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        vectors = self.vectors.all(texts)
        return View(self.linear.margins(vectors), nearest(self._sketched(vectors), self.sketches))

    @property
    def nbytes(self) -> int:
        """Of the weights of intents and texts."""
        return int(self.sketches.nbytes + (self.linear.weights.nbytes if self.linear else 0))

    def _sketched(self, vectors: sparse.csr_array) -> NDArray[np.float16]:
        """[n, V] -> [n, 512], of the characters alone."""
        if self._fold is None:
            self._fold = _folding(self.vectors.terms["character"])
        characters = vectors[:, len(self.vectors.terms["word"]) :]
        folded = np.asarray((characters @ self._fold).toarray(), dtype=np.float32)
        return rows_of_length_one(folded).astype(np.float16)

    def settings(self) -> dict[str, Any]:
        """The intents."""
        return {"classes": self.classes}

    def files(self) -> dict[str, bytes]:
        """Terms, and weights of terms, intents and texts."""
        assert self.linear is not None
        arrays: dict[str, NDArray[Any]] = {f"idf_{kind}": self.vectors.weights[kind] for kind in KINDS}
        arrays |= {_WEIGHTS: self.linear.weights, _INTERCEPTS: self.linear.intercepts, _SKETCHES: self.sketches}
        terms = json.dumps(self.vectors.terms, sort_keys=True, ensure_ascii=False).encode()
        return {_ARRAYS: packed(arrays), _TERMS: terms}

    def restore(self, settings: Mapping[str, Any], read: Read) -> Self:
        """Terms first, then arrays."""
        terms = json.loads(read(_TERMS))
        names = [_WEIGHTS, _INTERCEPTS, _SKETCHES, *(f"idf_{kind}" for kind in KINDS)]
        arrays = unpacked(read(_ARRAYS), Path(_ARRAYS), self.name, names)
        self.vectors, self._fold = Vectors(terms, {kind: arrays[f"idf_{kind}"] for kind in KINDS}), None
        self.classes = [str(one) for one in settings["classes"]]
        self.linear = Linear(self.classes, arrays[_WEIGHTS], arrays[_INTERCEPTS])
        self.sketches = arrays[_SKETCHES]
        return self


def _folding(terms: Sequence[str]) -> sparse.csr_array:
    """[V, 512] one sign a term, at the place that its CRC-32 says."""
    codes = np.array([zlib.crc32(term.encode()) for term in terms], dtype=np.int64)
    signs = np.where(codes >> 16 & 1, 1.0, -1.0).astype(np.float32)
    return sparse.csr_array((signs, (np.arange(len(terms)), codes % SKETCH)), shape=(len(terms), SKETCH))
