"""Support: what each open ticket is about, how urgent it is, and whose answer would fit."""

from models.support.keyword_rule import KeywordRule
from models.support.text_network import TextNetwork
from models.support.tfidf_linear import TfidfLinear
from models.support.tickets import SupportModel

CONTESTANTS: tuple[type[SupportModel], ...] = (KeywordRule, TfidfLinear, TextNetwork)
"""The models that the gate compares, the baseline first."""

__all__ = ["CONTESTANTS", "KeywordRule", "SupportModel", "TextNetwork", "TfidfLinear"]
