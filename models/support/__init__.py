"""Support: what each open ticket is about, how urgent it is, and whose answer would fit."""

from models.support.keyword_rule import KeywordRule
from models.support.sentence_encoder import FineTunedEncoder, SentenceEncoder
from models.support.stacked import Stacked
from models.support.text_network import TextNetwork
from models.support.tfidf_linear import TfidfLinear
from models.support.tickets import SupportModel

CONTESTANTS: tuple[type[SupportModel], ...] = (KeywordRule, TfidfLinear, TextNetwork)
"""The models that the gate compares, the baseline first."""
WITH_ENCODER: tuple[type[Stacked], ...] = (SentenceEncoder, FineTunedEncoder)
"""Further ones, which need a pretrained encoder: where there is none, their fit says so."""

__all__ = [
    "CONTESTANTS",
    "WITH_ENCODER",
    "FineTunedEncoder",
    "KeywordRule",
    "SentenceEncoder",
    "Stacked",
    "SupportModel",
    "TextNetwork",
    "TfidfLinear",
]
