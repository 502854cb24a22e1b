"""Ratios of ours to the peers', of one protocol only."""

from __future__ import annotations

import pytest

from benchmarks.ratios import ratios, together


def found(ndcg: float, seconds: float) -> dict[str, object]:
    return {"ndcg_at_10": [ndcg, 0.0, 1.0], "cpu_seconds": seconds}


def test_ratios_are_those_of_our_best() -> None:
    models = {"popular_ever": found(0.1, 1.0), "ease": found(0.3, 8.0), "rectools_ease": found(0.2, 4.0)}
    assert ratios(models, 10) == {"rectools_ease": {"ours": "ease", "ndcg": 1.5, "cpu_seconds": 2.0}}
    assert ratios({"rectools_ease": found(0.2, 4.0)}, 10) == {}
    assert ratios(models | {"implicit_als": found(0.0, 1.0)}, 10)["implicit_als"]["ndcg"] is None


def test_results_of_different_protocols_are_refused() -> None:
    one = {"protocol": {"k": 10, "seen": "kept"}, "models": {"ease": found(0.3, 1.0)}}
    other = {"protocol": {"k": 10, "seen": "kept"}, "models": {"implicit_als": found(0.1, 1.0)}}
    assert together([one, other])["ratios"]["implicit_als"]["ndcg"] == 3.0
    with pytest.raises(ValueError, match=r"expected the same \['seen'\]"):
        together([one, other | {"protocol": {"k": 10, "seen": "filtered"}}])
