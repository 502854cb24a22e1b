"""Which resolved tickets of the same intent and language were answered as an open one would be, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from models.support.languages import language_of
from models.support.parts import rows_of_length_one
from models.support.vectors import Vectors

SIMILARITIES = ("words", "characters", "latent", "learned")
LEAST_LIKE = 0.05
"""Cosine under which a ticket is not like another."""
ASKED, ANSWERED = 300, 200
"""Dimensions of the latent spaces of tickets and answers (Deerwester et al. 1990)."""
SHRINK = 3.0
"""Price of squared weights of the map from the one space to the other."""
FEWEST, MOST = 200, 10_000
"""Answers under which none is learnt from, and over which the latest are."""
BLOCK = 512
"""Open tickets compared at once."""
DECIMALS = 4
"""Of a cosine: what differs by less is alike."""
Rows: TypeAlias = sparse.csr_array | NDArray[np.float32]


@dataclass
class ReplySearch:
    """Finds tickets by cosine.

    similarity: of the texts by words, characters (TF-IDF) or singular vectors (latent); learned: of the answers to what
    a ridge regression foretells of the answer from the text, characters where fewer than 200 are known.
    """

    similarity: str = "learned"
    seed: int = 7

    def __post_init__(self) -> None:
        if self.similarity not in SIMILARITIES:
            raise ValueError(f"similarity is {self.similarity}, expected one of {', '.join(SIMILARITIES)}")
        self.keys: list[tuple[str, str]] = []
        self.vectors = Vectors()
        self.latent: TruncatedSVD | None = None
        self.learned: Ridge | None = None
        self.known: Rows = np.zeros((0, 1), np.float32)

    def fit(
        self,
        texts: Sequence[str],
        intents: Sequence[str],
        replies: Sequence[str],
        languages: Sequence[str] | None = None,
    ) -> ReplySearch:
        """From resolved tickets [m], the latest last; languages: those of the replies."""
        self.keys = list(zip(intents, languages or [language_of(reply) for reply in replies], strict=True))
        if not any(text.strip() for text in texts):
            self.keys = []  # nothing can be alike
            return self
        self.vectors = Vectors().fit(texts)
        is_latent = self.similarity in ("latent", "learned") and len(texts) >= FEWEST
        if is_latent:
            latest = slice(max(0, len(texts) - MOST), None)
            vectors = self.vectors.all(texts[latest])
            self.latent = _latent(vectors, ASKED, self.seed)
            if self.similarity == "learned":
                self._learn(vectors, replies, latest)
                return self
        self.known = self._asked(texts)
        return self

    def _learn(self, vectors: sparse.csr_array, replies: Sequence[str], latest: slice) -> None:
        """Learn to foretell the place of an answer among all answers."""
        assert self.latent is not None
        terms = TfidfVectorizer(sublinear_tf=True, dtype=np.float32, token_pattern=r"[^\W\d_]+|[\u4e00-\u9fff]")
        answers = sparse.csr_array(terms.fit_transform(replies))
        space = _latent(answers[latest], ANSWERED, self.seed)
        self.known = rows_of_length_one(np.asarray(space.transform(answers), dtype=np.float32))
        self.learned = Ridge(alpha=SHRINK).fit(self.latent.transform(vectors), self.known[latest])

    def ranked(
        self, texts: Sequence[str], intents: Sequence[str], most: int, languages: Sequence[str] | None = None
    ) -> list[list[int]]:
        """[n] places of `most` resolved tickets, at most, of each one's intent and language; of equals the latest."""
        found: list[list[int]] = [[] for _ in texts]
        wanted = list(zip(intents, languages or [language_of(text) for text in texts], strict=True))
        for key in sorted(set(wanted) & set(self.keys)):
            kept = np.array([at for at, own in enumerate(self.keys) if own == key][::-1])
            asked = [at for at, own in enumerate(wanted) if own == key]
            known = self.known[kept]
            for start in range(0, len(asked), BLOCK):
                block = asked[start : start + BLOCK]
                like = self._asked([texts[at] for at in block]) @ known.T
                scores = np.round(like.toarray() if sparse.issparse(like) else like, DECIMALS)
                for at, row in zip(block, scores, strict=True):
                    best = np.argsort(-row, kind="stable")[:most]
                    found[at] = [int(kept[place]) for place in best if row[place] >= LEAST_LIKE]
        return found

    def _asked(self, texts: Sequence[str]) -> Rows:
        """[n, D] where tickets stand among those that are known, each row of length 1."""
        if self.latent is None:
            return self.vectors.kind("word" if self.similarity == "words" else "character", texts)
        found = self.latent.transform(self.vectors.all(texts))
        if self.learned is not None:
            found = self.learned.predict(found)
        return rows_of_length_one(np.asarray(found, dtype=np.float32))


def _latent(vectors: sparse.csr_array, size: int, seed: int) -> TruncatedSVD:
    return TruncatedSVD(min(size, min(vectors.shape) - 1), random_state=seed).fit(vectors)
