"""Words and characters beside a network of hashed n-grams."""

from __future__ import annotations

from typing import ClassVar

from models.support.ngram_part import NgramPart
from models.support.parts import Part
from models.support.stacked import Stacked
from models.support.tfidf_part import TfidfPart


class TextNetwork(Stacked):
    """A network from scratch over hashed n-grams, with attention pooling, stacked with TF-IDF and support vectors."""

    name: ClassVar[str] = "text_network"
    kinds: ClassVar[tuple[type[Part], ...]] = (TfidfPart, NgramPart)
