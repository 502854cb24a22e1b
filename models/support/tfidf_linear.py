"""Words and characters, a linear model for intent and one for urgency, and the nearest resolved ticket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from scipy import sparse

from models.files import corrupt, read_checked, read_settings, take, write_model
from models.protocol import Features
from models.support.linear import Linear, fit_linear
from models.support.replies import Replies, latest
from models.support.tickets import HAS_REPLY, INTENT, KEY, URGENCY, Guess, SupportModel, later, resolved, texts
from models.support.tickets import threshold_of as _threshold_of
from models.support.urgency import LEVELS
from models.support.vectors import KINDS, Vectors

MOST_LEARNT = 20_000
"""Resolved tickets learnt from, the latest; replies come from all."""
FEWEST_URGENT = 50
"""Tickets with an urgency under which none is learnt."""
_ARRAYS, _TERMS = "arrays.safetensors", "terms.json"


class TfidfLinear(SupportModel):
    """TF-IDF of words and characters with linear support vectors (Joachims 1998), a temperature for probabilities.

    Temperature and threshold are set on the latest quarter of the resolved tickets by a model that has not seen it;
    the model that serves is fitted on all. Texts are not stored, but terms of at least two tickets are.
    """

    name: ClassVar[str] = "tfidf_linear"

    def __init__(self, *, automatic_accuracy: float = 0.95, seed: int = 7) -> None:
        super().__init__(automatic_accuracy=automatic_accuracy, seed=seed)
        self.vectors = Vectors()
        self.intent: Linear | None = None
        self.urgency: Linear | None = None
        self.replies = Replies([], [], sparse.csr_array((0, 0), dtype=np.float32))

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from resolved tickets; raises ValueError where fewer than 50 are, or all are of one intent."""
        every = resolved(features, targets, self.name)
        rows = every.tail(MOST_LEARNT).reset_index(drop=True)
        labels, held = rows[INTENT].to_numpy(object), later(rows)
        temperature = self._set_threshold(rows, labels, held)
        self.vectors = Vectors().fit(texts(rows))
        vectors = self.vectors.all(texts(rows))
        self.intent = fit_linear(vectors, labels, seed=self.seed)
        self.intent.temperature = temperature
        urgent = rows[URGENCY].isin(LEVELS).to_numpy()
        enough = urgent.sum() >= FEWEST_URGENT
        self.urgency = (
            fit_linear(vectors[urgent], rows.loc[urgent, URGENCY].to_numpy(object), seed=self.seed) if enough else None
        )
        self.replies = self._replies(every)
        return self

    def _replies(self, rows: pd.DataFrame) -> Replies:
        """The tickets whose answer may be suggested."""
        labels = rows[INTENT].to_numpy(object)
        may = rows[HAS_REPLY].fillna(False).to_numpy(bool) if HAS_REPLY in rows.columns else np.ones(len(rows), bool)
        kept = latest(labels, may)
        words = self.vectors.kind("word", texts(rows.iloc[kept]))
        return Replies([str(one) for one in rows[KEY].iloc[kept]], [str(one) for one in labels[kept]], words)

    def _set_threshold(self, rows: pd.DataFrame, labels: NDArray[Any], held: NDArray[np.bool_]) -> float:
        """Fit on the earlier tickets; temperature (returned) and threshold from the later ones."""
        vectors = Vectors().fit(texts(rows[~held]))
        earlier = fit_linear(vectors.all(texts(rows[~held])), labels[~held], seed=self.seed)
        unseen = vectors.all(texts(rows[held]))
        earlier.calibrate(unseen, labels[held])
        probabilities = earlier.probabilities(unseen)
        guessed = np.array(earlier.classes, dtype=object)[probabilities.argmax(axis=1)]
        self.threshold = _threshold_of(probabilities.max(axis=1), guessed == labels[held], self.automatic_accuracy)
        return earlier.temperature

    def _guess(self, tickets: pd.DataFrame) -> Guess:
        if self.intent is None:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        vectors = self.vectors.all(texts(tickets))
        probabilities = self.intent.probabilities(vectors) if len(tickets) else np.zeros((0, len(self.intent.classes)))
        intent = np.array(self.intent.classes, dtype=object)[probabilities.argmax(axis=1)]
        urgency = None
        if self.urgency is not None:
            urgency = np.array(self.urgency.classes, dtype=object)[self.urgency.margins(vectors).argmax(axis=1)]
        return Guess(intent, probabilities.max(axis=1), urgency)

    def _sources(self, tickets: pd.DataFrame, intent: NDArray[Any]) -> list[str | None]:
        return self.replies.nearest(self.vectors.kind("word", texts(tickets)), intent)

    def save(self, folder: Path) -> None:
        """Write `settings.json` (with digests), `terms.json` and `arrays.safetensors`."""
        if self.intent is None:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        heads = {"intent": self.intent} | ({"urgency": self.urgency} if self.urgency else {})
        settings = {
            "model": self.name,
            "automatic_accuracy": self.automatic_accuracy,
            "seed": self.seed,
            "threshold": self.threshold,
            "heads": {key: {"classes": head.classes, "temperature": head.temperature} for key, head in heads.items()},
            "sources": {"ids": self.replies.ids, "intents": self.replies.intents},
        }
        arrays = {f"{key}_weights": head.weights for key, head in heads.items()}
        arrays |= {f"{key}_intercepts": head.intercepts for key, head in heads.items()}
        arrays |= {f"idf_{kind}": self.vectors.weights[kind] for kind in KINDS}
        arrays |= {f"source_{name}": _array(self.replies.vectors, name) for name in ("data", "indices", "indptr")}
        arrays = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
        terms = json.dumps(self.vectors.terms, sort_keys=True, ensure_ascii=False).encode()
        write_model(folder, settings, {_ARRAYS: save_arrays(arrays), _TERMS: terms})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        model = cls(
            automatic_accuracy=take(settings, "automatic_accuracy", float, folder),
            seed=take(settings, "seed", int, folder),
        )
        model.threshold = take(settings, "threshold", float, folder)
        terms = json.loads(read_checked(folder, settings, _TERMS))
        raw = read_checked(folder, settings, _ARRAYS)
        try:
            model._restore(settings, terms, load_arrays(raw))
        except (KeyError, TypeError, SafetensorError) as error:
            raise corrupt(folder / _ARRAYS, cls.name, f"found no {error}") from error
        return model

    def _restore(self, settings: dict[str, Any], terms: dict[str, list[str]], arrays: dict[str, Any]) -> None:
        heads = {
            key: Linear(head["classes"], arrays[f"{key}_weights"], arrays[f"{key}_intercepts"], head["temperature"])
            for key, head in settings["heads"].items()
        }
        self.intent, self.urgency = heads["intent"], heads.get("urgency")
        self.vectors = Vectors(terms, {kind: arrays[f"idf_{kind}"] for kind in KINDS})
        sources = settings["sources"]
        parts = (arrays["source_data"], arrays["source_indices"], arrays["source_indptr"])
        shape = (len(sources["ids"]), len(terms["word"]))
        self.replies = Replies(sources["ids"], sources["intents"], sparse.csr_array(parts, shape=shape))


def _array(vectors: sparse.csr_array, name: str) -> NDArray[Any]:
    """A part of the sparse vectors, in types that don't depend on their size."""
    return np.asarray(getattr(vectors, name), dtype=np.float32 if name == "data" else np.int64)
