"""The benchmark of intents: its metrics by hand, and a whole run on a small file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.support import main
from benchmarks.support_metrics import Answers, Truth, calibration_error, figures, risk_coverage
from tests.models.generators import TICKET_WORDS


def test_figures_by_hand() -> None:
    truth = Truth(np.array(list("aabbo"), dtype=object), np.array([False] * 4 + [True]))
    answers = Answers(
        np.array(list("aabaa"), dtype=object),
        np.array([0.9, 0.8, 0.7, 0.6, 0.5]),
        np.array([5.0, 4.0, 3.0, 2.0, 2.5]),
        np.array([True, True, False, False, True]),
    )
    found = figures((answers, truth), (answers, truth), seed=7, resamples=50)
    assert found["accuracy"][0] == 0.75
    assert found["macro_f1"][0] == pytest.approx((0.8 + 2 / 3) / 2, abs=1e-5)
    assert found["out_of_scope_auroc"][0] == 0.75  # three of four texts in scope lie above
    assert found["out_of_scope_recall"][0] == 1.0  # the threshold keeps 95% of 5, 4, 3
    assert found["automatic_share"][0] == 0.6
    assert found["automatic_accuracy"][0] == pytest.approx(2 / 3, abs=1e-5)
    assert found["automatic_share_in_scope"][0] == 0.5
    assert found["risk_coverage"]["all"]["at_98"] == 0.6


def test_auroc_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(1)
    outside = random.random(300) < 0.3
    certainty = np.round(random.normal(size=300) - outside, 1)  # with ties
    labels = np.full(300, "a", dtype=object)
    both = (Answers(labels, np.ones(300), certainty), Truth(labels, outside))
    found = figures(both, both, seed=7, resamples=10)["out_of_scope_auroc"][0]
    assert found == pytest.approx(roc_auc_score(~outside, certainty), abs=1e-5)


def test_calibration_and_risk() -> None:
    probability = np.repeat([0.2, 0.8], 1500)
    right = np.concatenate([np.arange(1500) % 5 == 0, np.arange(1500) % 5 > 0])
    assert calibration_error(probability, right) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(np.full(3000, 0.9), right) > 0.3
    found = risk_coverage(np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, True, False, True]))
    assert found["right_at"]["0.5"] == 1.0
    assert found["right_at"]["1.0"] == 0.75
    assert found["at_98"] == 0.5


@pytest.fixture
def file(tmp_path: Path) -> Path:
    random = np.random.default_rng(5)
    rows = []
    for split, each in (("train", 80), ("val", 20), ("test", 20)):
        for intent, words in TICKET_WORDS.items():
            rows += [(split, " ".join([*random.choice(words, 3), "please"]), intent) for _ in range(each)]
        rows += [(split, "tell me a joke about elephants", "oos")] * 5
    pd.DataFrame(rows, columns=["split", "text", "intent"]).to_parquet(tmp_path / "texts.parquet")
    return tmp_path / "texts.parquet"


def _arguments(file: Path, out: Path) -> list[str]:
    told = ["--train", str(file), "--text", "text", "--label", "intent", "--oos-label", "oos", "--out", str(out)]
    for name, split in (("train", "train"), ("validation", "val"), ("test", "test")):
        told += [f"--{name}-where", f"split == '{split}'"]
    return [*told, "--resamples", "50", "--automatic-accuracy", "0.9"]


def test_a_run_of_ours_and_peers(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    peers = ["--peers", "linear_svc", "fasttext_bag"]
    main([*_arguments(file, out), "--model", "keyword_rule", "tfidf_linear", *peers])
    found = json.loads(out.read_text("utf-8"))
    assert found["protocol"]["train"] == {"texts": 240, "out_of_scope": 0}  # never learnt from
    assert found["protocol"]["test"] == {"texts": 65, "out_of_scope": 5}
    assert set(found["models"]) == {"keyword_rule", "tfidf_linear", "linear_svc", "fasttext_bag"}
    for name in ("tfidf_linear", "linear_svc", "fasttext_bag"):
        assert found["models"][name]["accuracy"][0] > 0.95
        assert found["models"][name]["out_of_scope_auroc"][0] > 0.9
    assert "automatic_share" not in found["models"]["linear_svc"]
    assert found["models"]["tfidf_linear"]["automatic_accuracy"][0] >= 0.9


def test_what_is_missing_is_named(file: Path, tmp_path: Path) -> None:
    told = _arguments(file, tmp_path / "result.json")
    with pytest.raises(ValueError, match="found no column 'words'"):
        main([*told, "--text", "words"])
    with pytest.raises(ValueError, match="found no rows for --test"):
        main([*told, "--test-where", "split == 'none'"])
