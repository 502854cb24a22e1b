"""Models of support that stack parts: intent and certainty, urgency, and the nearest resolved ticket."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.files import corrupt, read_checked, read_settings, take, write_model
from models.protocol import Features
from models.shelf import Shelf
from models.support.linear import Linear, fit_linear
from models.support.parts import Machine, Part, View, packed, unpacked
from models.support.stack import Stack, share_of_unseen, softmax, unseen_intents
from models.support.tfidf_part import TfidfPart
from models.support.tickets import (
    INTENT,
    URGENCY,
    Guess,
    SupportModel,
    later,
    resolved,
    texts,
    threshold_of,
)
from models.support.urgency import LEVELS

MOST_LEARNT = 20_000
"""Resolved tickets learnt from, the latest."""
FEWEST_URGENT = 50
"""Tickets with an urgency under which none is learnt."""
_ARRAYS = "arrays.safetensors"


class Stacked(SupportModel):
    """Parts that each see a text their own way; words and characters (TF-IDF) are the first of them.

    Weights, certainty and threshold are set on the latest quarter of the resolved tickets by parts that have not seen
    it, nor any ticket of some intents (a fifth of the tickets): so the threshold stands for kinds of ticket that are
    new. The parts that serve are fitted on all. certainty, not the probability, decides who looks at a ticket.
    """

    kinds: ClassVar[tuple[type[Part], ...]] = (TfidfPart,)

    def __init__(
        self,
        *,
        automatic_accuracy: float = 0.95,
        seed: int = 7,
        threads: int = 1,
        device: str = "cpu",
        minutes: float | None = None,
        encoder: str | Path | None = None,
        encoder_sha256: str | None = None,
    ) -> None:
        super().__init__(automatic_accuracy=automatic_accuracy, seed=seed)
        folder = None if encoder is None else Path(encoder)
        self.machine = Machine(seed, threads, device, minutes, folder, encoder_sha256)
        self.shelf: Shelf | None = None
        self.parts: list[Part] = []
        self.stack = Stack()
        self.urgency: Linear | None = None

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from resolved tickets.

        Raises ValueError where fewer than 50 are, all are of one intent, or a part lacks what it needs.
        """
        rows = resolved(features, targets, self.name).tail(MOST_LEARNT).reset_index(drop=True)
        labels, words, held = rows[INTENT].to_numpy(object), texts(rows), later(rows)
        self._calibrate(words, labels, held)
        self.parts = self._fitted(words, labels)
        vectors = self._tfidf.vectors.all(words)
        urgent = rows[URGENCY].isin(LEVELS).to_numpy()
        enough = urgent.sum() >= FEWEST_URGENT
        self.urgency = (
            fit_linear(vectors[urgent], rows.loc[urgent, URGENCY].to_numpy(object), seed=self.seed) if enough else None
        )
        return self

    @property
    def _tfidf(self) -> TfidfPart:
        if not self.parts or not isinstance(self.parts[0], TfidfPart):
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        return self.parts[0]

    def _fitted(self, words: Sequence[str], labels: NDArray[Any]) -> list[Part]:
        """Every part fitted on these texts, once for all models that share a shelf."""
        shelf = self.shelf or Shelf()
        told = json.dumps([list(words), [str(label) for label in labels], self.seed])
        digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        made = [partial(kind(self.machine).fit, words, labels) for kind in self.kinds]
        return [shelf.once((kind.name, digest), make) for kind, make in zip(self.kinds, made, strict=True)]

    def _calibrate(self, words: Sequence[str], labels: NDArray[Any], held: NDArray[np.bool_]) -> None:
        """Weights, certainty and threshold from the later tickets, by parts fitted on the earlier ones."""
        unseen = unseen_intents(labels[~held], self.seed)
        taken = np.flatnonzero(~held & ~np.isin(labels.astype(str), unseen))
        parts = self._fitted([words[int(place)] for place in taken], labels[taken])
        views = [part.view([words[int(place)] for place in np.flatnonzero(held)]) for part in parts]
        place = {intent: at for at, intent in enumerate(parts[0].classes)}
        which = np.array([place.get(str(label), -1) for label in labels[held]], dtype=np.int64)
        self.stack = Stack().fit(views, which)
        right = self.stack.logits(views).argmax(axis=1) == which
        self.threshold = threshold_of(self.stack.certain(views), right, self.automatic_accuracy, share_of_unseen(which))

    def guess(self, tickets: pd.DataFrame) -> Guess:
        """By the stack of all parts."""
        classes, words = np.array(self._tfidf.classes, dtype=object), texts(tickets)
        if not words:
            return Guess(np.zeros(0, object), np.zeros(0), certainty=np.zeros(0))
        views: list[View] = [part.view(words) for part in self.parts]
        probabilities = softmax(self.stack.logits(views))
        urgency = None
        if self.urgency is not None:
            margins = self.urgency.margins(self._tfidf.vectors.all(words))
            urgency = np.array(self.urgency.classes, dtype=object)[margins.argmax(axis=1)]
        intent = classes[probabilities.argmax(axis=1)]
        return Guess(intent, probabilities.max(axis=1), urgency, self.stack.certain(views))

    def save(self, folder: Path) -> None:
        """Write `settings.json` (with digests), `arrays.safetensors` and the files of the parts."""
        if not self.parts:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        urgency = self.urgency
        settings = {
            "model": self.name,
            "automatic_accuracy": self.automatic_accuracy,
            "seed": self.seed,
            "threshold": self.threshold,
            "stack": {"weights": self.stack.weights, "certainty": self.stack.certainty},
            "parts": {part.name: part.settings() for part in self.parts},
            "urgency": None if urgency is None else urgency.classes,
        }
        files = {name: content for part in self.parts for name, content in part.files().items()}
        if urgency is not None:
            files[_ARRAYS] = packed({"urgency_weights": urgency.weights, "urgency_intercepts": urgency.intercepts})
        write_model(folder, settings, files)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        model = cls(
            automatic_accuracy=take(settings, "automatic_accuracy", float, folder),
            seed=take(settings, "seed", int, folder),
        )
        model.threshold = take(settings, "threshold", float, folder)
        try:
            model._restore(settings, folder)
        except (KeyError, TypeError) as error:
            raise corrupt(folder / "settings.json", cls.name, f"found no {error}") from error
        return model

    def _restore(self, settings: dict[str, Any], folder: Path) -> None:
        def read(name: str) -> bytes:
            return read_checked(folder, settings, name)

        self.stack = Stack(settings["stack"]["weights"], settings["stack"]["certainty"])
        self.parts = [kind(self.machine).restore(settings["parts"][kind.name], read) for kind in self.kinds]
        if classes := settings["urgency"]:
            arrays = unpacked(read(_ARRAYS), folder / _ARRAYS, self.name, ("urgency_weights", "urgency_intercepts"))
            self.urgency = Linear(classes, arrays["urgency_weights"], arrays["urgency_intercepts"])
