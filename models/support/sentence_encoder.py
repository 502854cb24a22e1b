"""Words and characters beside a pretrained sentence encoder, frozen or fine-tuned."""

from __future__ import annotations

from typing import ClassVar

from models.support.encoder_part import EncoderPart, FineTunedPart
from models.support.ngram_part import NgramPart
from models.support.parts import Part
from models.support.stacked import Stacked
from models.support.tfidf_part import TfidfPart


class SentenceEncoder(Stacked):
    """A frozen sentence encoder with logistic regression, stacked with TF-IDF and the network of n-grams."""

    name: ClassVar[str] = "sentence_encoder"
    kinds: ClassVar[tuple[type[Part], ...]] = (TfidfPart, NgramPart, EncoderPart)


class FineTunedEncoder(Stacked):
    """A sentence encoder fine-tuned on the intents, stacked with TF-IDF and the network of n-grams."""

    name: ClassVar[str] = "fine_tuned_encoder"
    kinds: ClassVar[tuple[type[Part], ...]] = (TfidfPart, NgramPart, FineTunedPart)
