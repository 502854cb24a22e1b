"""Texts as sparse vectors: TF-IDF of words and of the characters in them, kept as terms and weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

MAX_TERMS = 60_000
"""Terms kept of each kind, the most frequent."""
KINDS: dict[str, dict[str, Any]] = {
    "word": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"\b\w+\b"},
    "character": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
"""Word pairs and characters within words, as in Salton and Buckley (1988) with sublinear counts."""


@dataclass
class Vectors:
    """Terms of each kind with their inverse document frequencies [V]."""

    terms: dict[str, list[str]] = field(default_factory=dict)
    weights: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    _built: dict[str, TfidfVectorizer] = field(default_factory=dict)

    def fit(self, texts: Sequence[str]) -> Vectors:
        """Terms in at least two texts (in one, where there are none), the most frequent 60,000 of each kind."""
        for kind, options in KINDS.items():
            for least in (2, 1):
                found = TfidfVectorizer(min_df=least, max_features=MAX_TERMS, **_shared(), **options)
                try:
                    found.fit(texts)
                except ValueError:  # no term is frequent enough
                    continue
                break
            else:
                raise ValueError("too little data: found no words in the tickets' texts")
            self.terms[kind] = [str(term) for term in found.get_feature_names_out()]
            self.weights[kind] = found.idf_.astype(np.float32)
        self._built = {}
        return self

    def kind(self, kind: str, texts: Sequence[str]) -> sparse.csr_array:
        """[n, V] of one kind, each row of length 1 (or 0 where no term is known)."""
        if kind not in self._built:
            built = TfidfVectorizer(vocabulary=self.terms[kind], **_shared(), **KINDS[kind])
            built.idf_ = self.weights[kind]
            self._built[kind] = built
        if not len(texts):
            return sparse.csr_array((0, len(self.terms[kind])), dtype=np.float32)
        return sparse.csr_array(self._built[kind].transform(texts), dtype=np.float32)

    def all(self, texts: Sequence[str]) -> sparse.csr_array:
        """[n, V_word + V_character]."""
        return sparse.csr_array(sparse.hstack([self.kind(kind, texts) for kind in KINDS], format="csr"))


def _shared() -> dict[str, Any]:
    return {"lowercase": True, "sublinear_tf": True, "dtype": np.float32, "strip_accents": "unicode"}
