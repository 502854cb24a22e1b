"""The baseline of support: the words that tell an intent from all others, counted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.files import corrupt, read_settings, take, write_settings
from models.protocol import Features
from models.support.tickets import INTENT, Guess, SupportModel, later, resolved, texts, threshold_of

WORDS = 8
"""Words learnt for an intent."""
MOST_LEADS = 4
"""Leads that are told apart."""
_WORD = re.compile(r"\b\w\w+\b")


class KeywordRule(SupportModel):
    """The intent with the most of its keywords in the text; of equals the one of the most tickets.

    Keywords: given, or the 8 words of each intent with the greatest chi-squared statistic (Yang and Pedersen 1997).
    Probability: share that was right among later tickets with the same lead over the second intent.
    """

    name: ClassVar[str] = "keyword_rule"

    def __init__(
        self,
        *,
        automatic_accuracy: float = 0.95,
        seed: int = 7,
        keywords: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(automatic_accuracy=automatic_accuracy, seed=seed)
        self.given = None if keywords is None else {intent: list(words) for intent, words in keywords.items()}
        self.keywords: dict[str, list[str]] = {}
        self.right: list[float] = []

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn keywords from the earlier tickets, and how often they are right from the later ones.

        Raises ValueError where fewer than 50 tickets are resolved.
        """
        rows = resolved(features, targets, self.name)
        held = later(rows)
        self.keywords = self.given or learn_keywords(rows[~held])
        guess, lead = self._vote(rows[held])
        is_right = guess == rows.loc[held, INTENT].to_numpy()
        counts = np.bincount(lead, minlength=MOST_LEADS + 1)
        rights = np.bincount(lead, weights=is_right, minlength=MOST_LEADS + 1)
        self.right = [float(share) for share in (rights + 1.0) / (counts + 2.0)]
        self.threshold = threshold_of(np.asarray(self.right)[lead], is_right, self.automatic_accuracy)
        return self

    def _vote(self, tickets: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """[n] intents and [n] their lead in keywords over the second."""
        intents, sets = np.array(list(self.keywords), dtype=object), [set(words) for words in self.keywords.values()]
        if not len(tickets):
            return np.zeros(0, object), np.zeros(0, np.int64)
        found = [set(_WORD.findall(text.lower())) for text in texts(tickets)]
        hits = np.array([[len(words & own) for own in sets] for words in found], dtype=np.int64)
        second = np.sort(hits, axis=1)[:, -2] if len(intents) > 1 else np.zeros(len(hits), np.int64)
        return intents[hits.argmax(axis=1)], np.minimum(hits.max(axis=1) - second, MOST_LEADS)

    def guess(self, tickets: pd.DataFrame) -> Guess:
        """By the greatest lead in keywords."""
        if not self.keywords:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        intent, lead = self._vote(tickets)
        return Guess(intent, np.asarray(self.right)[lead])

    def save(self, folder: Path) -> None:
        """Write `settings.json`; the intents in the order of their tickets."""
        settings = {
            "model": self.name,
            "automatic_accuracy": self.automatic_accuracy,
            "seed": self.seed,
            "threshold": self.threshold,
            "is_given": self.given is not None,
            "keywords": [[intent, words] for intent, words in self.keywords.items()],
            "right": self.right,
        }
        write_settings(folder, settings)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `settings.json`; raises ValueError where it is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        pairs = take(settings, "keywords", list, folder)
        try:
            keywords = {str(intent): [str(word) for word in words] for intent, words in pairs}
        except (TypeError, ValueError) as error:
            raise corrupt(folder, cls.name, f"keywords are no list of intents with words: {error}") from error
        model = cls(
            automatic_accuracy=take(settings, "automatic_accuracy", float, folder),
            seed=take(settings, "seed", int, folder),
            keywords=keywords if take(settings, "is_given", bool, folder) else None,
        )
        model.keywords, model.right = keywords, take(settings, "right", list, folder)
        model.threshold = take(settings, "threshold", float, folder)
        return model


def learn_keywords(rows: pd.DataFrame) -> dict[str, list[str]]:
    """The words of each intent with the greatest chi-squared statistic, of those more frequent in it than elsewhere.

    Intents in the order of their tickets, the most frequent first.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    vectors = CountVectorizer(binary=True, min_df=2, token_pattern=_WORD.pattern)
    has = vectors.fit_transform(texts(rows)).astype(np.float64)  # [n, V]
    words = vectors.get_feature_names_out()
    total, everywhere = len(rows), np.asarray(has.sum(axis=0)).ravel()
    found = {}
    for intent, count in sorted(rows[INTENT].value_counts().items(), key=lambda pair: (-pair[1], pair[0])):
        inside = np.asarray(has[(rows[INTENT] == intent).to_numpy()].sum(axis=0)).ravel()
        expected = everywhere * count / total
        rest = np.maximum(total - everywhere, 1e-9)
        chi2 = (inside - expected) ** 2 / np.maximum(expected * (total - count) / total * rest / total, 1e-9)
        chi2[inside <= expected] = -1.0
        best = np.argsort(-chi2, kind="stable")[:WORDS]
        found[str(intent)] = [str(words[place]) for place in best if chi2[place] > 0]
    return found
