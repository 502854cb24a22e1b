"""Support: keywords, thresholds, rules of urgency, replies, metrics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from models.metrics import value
from models.support import KeywordRule, TextNetwork, TfidfLinear, metrics
from models.support.keyword_rule import learn_keywords
from models.support.linear import fit_linear
from models.support.tickets import threshold_of
from models.support.urgency import decide_urgency
from tests.models.generators import TICKET_WORDS, ticket_frames


def test_keywords_are_the_intents_own_words() -> None:
    features, targets = ticket_frames()
    rows = features["tickets"].merge(targets[targets["is_known"]], on="ticket_id")
    found = learn_keywords(rows)
    assert list(found) == ["delivery", "refund", "damaged"]  # by their tickets
    assert all(set(found[intent][: len(words)]) == set(words) for intent, words in TICKET_WORDS.items())


def test_keywords_may_be_given() -> None:
    features, targets = ticket_frames()
    model = KeywordRule(keywords={"delivery": ["parcel"], "refund": ["money"]}).fit(features, targets)
    night = pd.DataFrame({"ticket_id": ["b", "a"], "text": ["the money", None], "messages": 1})
    assert model.predict({"tickets": night})["intent"].tolist() == ["delivery", "refund"]  # by ticket_id


def test_both_models_find_intents_and_the_linear_one_urgency() -> None:
    features, targets = ticket_frames(tickets=400)
    unseen, truth = ticket_frames(seed=14)
    for model in (KeywordRule(), TextNetwork(), TfidfLinear()):
        judged = metrics.with_labels(model.fit(features, targets).predict(unseen), truth)
        assert value(metrics.accuracy(judged)) > 0.9
        assert value(metrics.macro_f1(judged)) > 0.9
    assert value(metrics.urgency_accuracy(judged)) > 0.9
    assert value(metrics.automatic_accuracy(judged)) > 0.95
    assert 0.3 < value(metrics.automatic_share(judged)) <= 1


def test_what_is_like_nothing_known_needs_a_person() -> None:
    model = TfidfLinear().fit(*ticket_frames())
    found = model.predict({"tickets": pd.DataFrame({"ticket_id": ["a"], "text": ["xyzzy qqq"], "messages": [1]})})
    assert found["needs_human"].tolist() == [True]


def test_the_threshold_is_the_lowest_beyond_doubt() -> None:
    probability = np.linspace(1.0, 0.6, 400)
    right = np.arange(400) < 300
    assert threshold_of(probability, right, 0.9) == pytest.approx(probability[325], abs=0.01)
    assert threshold_of(probability, np.zeros(400, bool), 0.9) == 2.0
    assert threshold_of(np.full(400, 0.9), right, 0.9) == 2.0  # equal probabilities stay together
    assert threshold_of(probability[:5], right[:5], 0.95) == 2.0  # five right ones prove nothing
    assert threshold_of(np.full(400, 0.4), np.ones(400, bool), 0.9) == 2.0


@pytest.mark.parametrize(
    ("text", "waiting", "guess", "urgency", "reason"),
    [
        ("You charged me twice!", 1, "low", "high", "money"),
        ("there was a double payment", 1, None, "high", "money"),
        ("my son has an allergy to nuts", 1, "high", "critical", "health"),
        ("I need it today", 1, "normal", "high", "time"),
        ("I wrote twice about my parcel today", 1, "normal", "normal", None),
        ("hello?", 3, "normal", "high", "waiting: 3"),
        ("hello?", 2, "high", "high", None),
        ("I need it today", 1, "critical", "critical", None),
        (None, 1, None, "normal", None),
    ],
)
def test_rules_raise_urgency_and_never_lower_it(
    text: str | None, waiting: int, guess: str | None, urgency: str, reason: str | None
) -> None:
    tickets = pd.DataFrame({"text": [text], "unanswered_messages": [waiting]}, dtype=object)
    found, why = decide_urgency(tickets, None if guess is None else np.array([guess]))
    assert found == [urgency]
    assert (why[0] is None) if reason is None else str(why[0]).startswith(reason)


HEALTH, MONEY, TIME = "health", "money", "time"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("She had an allergic reaction to the soap.", HEALTH),
        ("The kettle burnt my hand", HEALTH),
        ("Meine Tochter hat eine Nussallergie, ist das drin?", HEALTH),
        ("Das Kabel gab mir einen Stromschlag.", HEALTH),
        ("我的孩子对坚果过敏，请告诉我成分。", HEALTH),
        ("杯子裂开，我的手受伤了", HEALTH),
        ("The amount for 536365 left my account twice.", MONEY),
        ("My bank shows two payments, but I ordered once", MONEY),
        ("Der Betrag wurde zweimal von meinem Konto abgebucht.", MONEY),
        ("Sie haben die Zahlung doppelt eingezogen", MONEY),
        ("你们扣了两次款，请退一笔。", MONEY),
        ("银行卡被重复扣款", MONEY),
        ("I need an answer today!", TIME),
        ("The wedding is this afternoon", TIME),
        ("Ich brauche das noch heute, bitte.", TIME),
        ("Heute ist die Hochzeit!", TIME),
        ("我必须在今天收到。", TIME),
        ("今晚的婚礼要用", TIME),
        ("A hypoallergenic pillow came today.", None),
        ("I ordered two lamps and wrote twice", None),
        ("Das Paket kam heute, danke. Ich habe zweimal bestellt.", None),
        ("Bis heute nichts gekommen", None),
        ("今天收到了两个杯子，谢谢", None),
        ("我付了款，买了两个。", None),
    ],
)
def test_each_rule_knows_three_languages(text: str, reason: str | None) -> None:
    level, why = decide_urgency(pd.DataFrame({"text": [text]}), None)
    assert (why[0] or "none").split(":")[0] == (reason or "none")
    assert level == [{HEALTH: "critical", None: "normal"}.get(reason, "high")]


def test_two_classes_have_a_margin_each() -> None:
    model = fit_linear(sparse.csr_array(np.eye(2, dtype=np.float32)), np.array(["a", "b"], dtype=object), seed=7)
    margins = model.margins(sparse.csr_array(np.eye(2, dtype=np.float32)))
    assert margins.argmax(axis=1).tolist() == [0, 1]
    assert margins.sum(axis=1) == pytest.approx([0, 0])


def test_macro_f1_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    random = np.random.default_rng(1)
    true, guess = random.choice(list("abc"), 60), random.choice(list("abcd"), 60)
    ids = [str(place) for place in range(60)]
    judged = pd.DataFrame({"ticket_id": ids, "true_intent": true, "intent": guess})
    assert value(metrics.macro_f1(judged)) == pytest.approx(
        f1_score(true, guess, labels=["a", "b", "c"], average="macro")
    )
