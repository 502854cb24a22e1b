"""Words and characters with a linear model."""

from __future__ import annotations

from typing import ClassVar

from models.support.parts import Part
from models.support.stacked import Stacked
from models.support.tfidf_part import TfidfPart


class TfidfLinear(Stacked):
    """TF-IDF of words and characters with linear support vectors (Joachims 1998)."""

    name: ClassVar[str] = "tfidf_linear"
    kinds: ClassVar[tuple[type[Part], ...]] = (TfidfPart,)
