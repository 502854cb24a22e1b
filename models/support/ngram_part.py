"""The part of hashed n-grams: a network from scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from models.recommendations.sequence.runtime import on_device
from models.support.ngram_network import NgramNetwork, Recipe, known, trained
from models.support.ngrams import Ints, grams_of
from models.support.parts import BLOCK, Machine, Part, Read, View, packed, unpacked

_ARRAYS, _BUCKETS = "ngrams.safetensors", "buckets"
MOST_KNOWN = 65_536
"""Buckets that are learnt, those of the most texts."""
THREADS = 1
"""Its steps are too small for more, and one gives the same bits on every machine."""


class NgramPart(Part):
    """`NgramNetwork` over the buckets that occur in the texts learnt from; on the CPU, by one thread."""

    name: ClassVar[str] = "ngrams"

    def __init__(self, machine: Machine, recipe: Recipe | None = None) -> None:
        super().__init__(machine)
        self.recipe = recipe or Recipe()
        self.buckets: Ints = np.zeros(0, np.int64)
        self.network: NgramNetwork | None = None

    def fit(self, texts: Sequence[str], labels: NDArray[Any]) -> Self:
        """Train from scratch."""
        grams = grams_of(texts)
        self.buckets = _most_frequent(grams.ids)
        if not len(self.buckets):
            raise ValueError("too little data: found no words in the tickets' texts")
        self.classes = sorted({str(label) for label in labels})
        which = np.searchsorted(np.array(self.classes), labels.astype(str))
        sizes = (len(self.buckets), len(self.classes))
        with on_device("cpu", THREADS):
            self.network = trained(known(grams, self.buckets), which, sizes, self.recipe, self.machine.seed)
        self.network.embedding.data = self.network.embedding.data.half().float()  # as it is stored
        return self

    def view(self, texts: Sequence[str]) -> View:
        """The network's logits; it compares with no text."""
        if self.network is None:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        grams = known(grams_of(texts), self.buckets)
        found = np.zeros((len(texts), len(self.classes)))
        with on_device("cpu", THREADS), torch.inference_mode():
            for at in range(0, len(texts), BLOCK):
                rows = np.arange(at, min(at + BLOCK, len(texts)))
                found[rows] = self.network(grams.take(rows)).numpy()
        return View(found)

    @property
    def nbytes(self) -> int:
        """Of the weights."""
        return 4 * len(self.buckets) * self.recipe.dim

    def settings(self) -> dict[str, Any]:
        """Intents and size."""
        return {"classes": self.classes, "dim": self.recipe.dim, "hidden": self.recipe.hidden}

    def files(self) -> dict[str, bytes]:
        """Buckets and weights."""
        assert self.network is not None
        weights = {name: tensor.numpy() for name, tensor in self.network.state_dict().items()}
        weights["embedding"] = weights["embedding"].astype(np.float16)
        return {_ARRAYS: packed(weights | {_BUCKETS: self.buckets})}

    def restore(self, settings: Mapping[str, Any], read: Read) -> Self:
        """The network of the stored size with the stored weights."""
        self.classes = [str(one) for one in settings["classes"]]
        self.recipe = Recipe(dim=int(settings["dim"]), hidden=int(settings["hidden"]))
        arrays = unpacked(read(_ARRAYS), Path(_ARRAYS), self.name, [_BUCKETS])
        self.buckets = arrays.pop(_BUCKETS)
        self.network = NgramNetwork(len(self.buckets), len(self.classes), self.recipe).eval()
        self.network.load_state_dict({name: torch.from_numpy(array).float() for name, array in arrays.items()})
        return self


def _most_frequent(ids: Ints) -> Ints:
    """The 65,536 buckets of the most texts, sorted; of equals the smaller number."""
    found, texts = np.unique(ids, return_counts=True)
    return np.sort(found[np.argsort(-texts, kind="stable")[:MOST_KNOWN]])
