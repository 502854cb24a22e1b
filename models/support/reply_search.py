"""Which resolved tickets of the same intent and language are most like an open one, the most alike first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from models.support.languages import language_of
from models.support.parts import rows_of_length_one
from models.support.vectors import Vectors

LEAST_LIKE = 0.05
"""Cosine under which a ticket is not like another."""
SIMILARITIES = ("words", "characters", "both", "latent")
LATENT = 100
"""Dimensions of the latent space (Deerwester et al. 1990)."""
BLOCK = 512
"""Open tickets compared at once."""


@dataclass
class ReplySearch:
    """Finds tickets by the cosine of their texts.

    similarity: words, characters, both (TF-IDF), or latent (their singular vectors); chosen on validation.
    """

    similarity: str = "both"
    seed: int = 7

    def __post_init__(self) -> None:
        if self.similarity not in SIMILARITIES:
            raise ValueError(f"similarity is {self.similarity}, expected one of {', '.join(SIMILARITIES)}")
        self.keys: list[tuple[str, str]] = []
        self.vectors = Vectors()
        self.known: sparse.csr_array | NDArray[np.float32] = np.zeros((0, 1), np.float32)
        self.latent: TruncatedSVD | None = None

    def fit(self, texts: Sequence[str], intents: Sequence[str], languages: Sequence[str] | None = None) -> ReplySearch:
        """From texts [m] of resolved tickets, the latest last; languages: those of their replies."""
        self.keys = list(zip(intents, languages or [language_of(text) for text in texts], strict=True))
        if not any(text.strip() for text in texts):
            self.keys = []
            return self
        self.vectors = Vectors().fit(texts)
        found = self._tfidf(texts)
        if self.similarity == "latent":
            size = min(LATENT, min(found.shape) - 1)
            self.latent = TruncatedSVD(size, random_state=self.seed).fit(found) if size > 1 else None
        self.known = self._made(found)
        return self

    def ranked(
        self, texts: Sequence[str], intents: Sequence[str], most: int, languages: Sequence[str] | None = None
    ) -> list[list[int]]:
        """[n] places of at most `most` resolved tickets of each one's intent and language; of equals the latest first."""
        found: list[list[int]] = [[] for _ in texts]
        wanted = list(zip(intents, languages or [language_of(text) for text in texts], strict=True))
        for key in sorted(set(wanted) & set(self.keys)):
            kept = np.array([at for at, own in enumerate(self.keys) if own == key][::-1])
            asked = [at for at, own in enumerate(wanted) if own == key]
            for start in range(0, len(asked), BLOCK):
                block = asked[start : start + BLOCK]
                like = self._like([texts[at] for at in block], kept)
                for row, at in enumerate(block):
                    best = np.argsort(-like[row], kind="stable")[:most]
                    found[at] = [int(kept[place]) for place in best if like[row, place] >= LEAST_LIKE]
        return found

    def _like(self, texts: Sequence[str], kept: NDArray[np.int64]) -> NDArray[np.float32]:
        made, known = self._made(self._tfidf(texts)), self.known[kept]
        like = made @ known.T
        return np.asarray(like.toarray() if sparse.issparse(like) else like, dtype=np.float32)

    def _tfidf(self, texts: Sequence[str]) -> sparse.csr_array:
        """[n, V] rows of length 1; of `both` kinds, each counts for a half."""
        if self.similarity == "words":
            return self.vectors.kind("word", texts)
        if self.similarity == "characters":
            return self.vectors.kind("character", texts)
        return sparse.csr_array(self.vectors.all(texts) / np.float32(np.sqrt(2)))

    def _made(self, vectors: sparse.csr_array) -> sparse.csr_array | NDArray[np.float32]:
        if self.latent is None:
            return vectors
        return rows_of_length_one(np.asarray(self.latent.transform(vectors), dtype=np.float32))
