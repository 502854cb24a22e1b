"""The parts of a pretrained sentence encoder: frozen, and fine-tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from models.support.encoder import Encoder, Files, Vectors, encoder_of, restored
from models.support.fine_tuning import Recipe, fine_tuned
from models.support.parts import Arrays, Machine, Part, Read, View, nearest, packed, unpacked

COST = 20.0
"""Inverse of the regularisation of logistic regression on vectors of length 1."""
_ENCODER, _CONFIG, _TOKENIZER, _ARRAYS = (
    "encoder.safetensors",
    "encoder.json",
    "tokenizer.json",
    "embeddings.safetensors",
)
_NAMES = ("weights", "intercepts", "known")


class EncoderPart(Part):
    """Embeddings of a frozen encoder with logistic regression; likeness by the cosine of embeddings.

    The encoder's files are stored with it, so that a model needs no folder beside its own.
    """

    name: ClassVar[str] = "encoder"

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.encoder: Encoder | None = None
        self.weights = np.zeros((0, 0), np.float32)  # [C, D]
        self.intercepts = np.zeros(0, np.float32)
        self.known = np.zeros((0, 0), np.float16)  # [m, D]

    def _frozen(self) -> Encoder:
        if self.machine.encoder is None:
            raise ValueError("no sentence encoder: set support.encoder to a folder that holds one")
        return encoder_of(self.machine.encoder, self.machine.sha256)

    def fit(self, texts: Sequence[str], labels: NDArray[Any]) -> Self:
        """Embed, and learn a margin of each intent; raises ValueError where there is no encoder."""
        self.encoder = self._encoder(texts, labels)
        self._learn(self._embedded(texts), labels)
        return self

    def _encoder(self, texts: Sequence[str], labels: NDArray[Any]) -> Encoder:
        return self._frozen()

    def _learn(self, vectors: Vectors, labels: NDArray[Any]) -> None:
        from sklearn.linear_model import LogisticRegression

        self.known = vectors.astype(np.float16)
        self.classes = sorted({str(label) for label in labels})
        if len(self.classes) == 1:
            self.weights, self.intercepts = np.zeros((1, vectors.shape[1]), np.float32), np.zeros(1, np.float32)
            return
        model = LogisticRegression(C=COST, max_iter=1_000).fit(vectors.astype(np.float64), labels.astype(str))
        weights, intercepts = model.coef_, model.intercept_
        if len(self.classes) == 2:  # one row for both: the second against the first
            weights, intercepts = np.vstack([-weights, weights]) / 2, np.concatenate([-intercepts, intercepts]) / 2
        self.weights, self.intercepts = weights.astype(np.float32), intercepts.astype(np.float32)

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        if self.encoder is None:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        return self.encoder.embedded(texts, threads=self.machine.threads, device=self.machine.device)

    def view(self, texts: Sequence[str]) -> View:
        """Margins, and the cosine to the nearest embedding."""
        vectors = self._embedded(texts)
        margins = (vectors @ self.weights.T + self.intercepts).astype(np.float64)
        return View(margins, nearest(vectors, self.known))

    @property
    def nbytes(self) -> int:
        """Of what is its own: a frozen encoder is shared."""
        return int(self.known.nbytes + self.weights.nbytes)

    def settings(self) -> dict[str, Any]:
        """The intents."""
        return {"classes": self.classes}

    def files(self) -> dict[str, bytes]:
        """The encoder's files, and weights of intents and texts."""
        assert self.encoder is not None
        files = self._stored(self.encoder)
        arrays: Arrays = {"weights": self.weights, "intercepts": self.intercepts, "known": self.known}
        return {
            _ENCODER: files.weights,
            _CONFIG: files.config,
            _TOKENIZER: files.tokenizer,
            _ARRAYS: packed(arrays),
        }

    def _stored(self, encoder: Encoder) -> Files:
        return encoder.files

    def restore(self, settings: Mapping[str, Any], read: Read) -> Self:
        """The encoder, then arrays."""
        self.classes = [str(one) for one in settings["classes"]]
        arrays = unpacked(read(_ARRAYS), Path(_ARRAYS), self.name, _NAMES)
        self.weights, self.intercepts, self.known = (arrays[name] for name in _NAMES)
        self.encoder = restored(Files(read(_ENCODER), read(_CONFIG), read(_TOKENIZER)), _ENCODER)
        return self


class FineTunedPart(EncoderPart):
    """The encoder with all but its word embeddings trained on the intents, under one layer of margins."""

    name: ClassVar[str] = "fine_tuned"

    def __init__(self, machine: Machine, recipe: Recipe | None = None) -> None:
        super().__init__(machine)
        self.recipe = recipe or Recipe()

    def _encoder(self, texts: Sequence[str], labels: NDArray[Any]) -> Encoder:
        """A copy of the encoder, trained; raises ValueError where the minutes are too few."""
        frozen = self._frozen()
        own = Encoder(frozen.files, str(self.machine.encoder))
        super()._learn(frozen.embedded(texts, threads=self.machine.threads, device=self.machine.device), labels)
        which = np.searchsorted(np.array(self.classes), labels.astype(str)).astype(np.int64)
        start = (self.weights, self.intercepts)
        self.weights, self.intercepts = fine_tuned(own, texts, which, start, self.recipe, self.machine)
        return own

    def _learn(self, vectors: Vectors, labels: NDArray[Any]) -> None:
        self.known = vectors.astype(np.float16)

    def _stored(self, encoder: Encoder) -> Files:
        return encoder.stored()

    @property
    def nbytes(self) -> int:
        """With its own copy of the encoder."""
        return super().nbytes + (len(self.encoder.files.weights) if self.encoder else 0)
