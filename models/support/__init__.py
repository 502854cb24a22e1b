"""Support: what each open ticket is about, how urgent it is, and whose answer would fit."""

from models.support.keyword_rule import KeywordRule
from models.support.tfidf_linear import TfidfLinear

CONTESTANTS: tuple[type[KeywordRule] | type[TfidfLinear], ...] = (KeywordRule, TfidfLinear)
"""The models that the gate compares, the baseline first."""

__all__ = ["CONTESTANTS", "KeywordRule", "TfidfLinear"]
