"""Parts stacked: n-grams of any script, weights, certainty, and a threshold that stands for kinds never seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.metrics import value
from models.support import TextNetwork, TfidfLinear, metrics
from models.support.ngram_network import NgramNetwork, Recipe, known
from models.support.ngrams import BUCKETS, Grams, grams_of
from models.support.parts import View, nearest, rows_of_length_one
from models.support.stack import Stack, softmax, unseen_intents
from tests.models.generators import ticket_frames

SCRIPTS = {
    "german": {
        "lieferung": ("wo", "paket", "lieferung", "verspätet", "sendung", "zusteller"),
        "rückgabe": ("geld", "zurück", "rückgabe", "erstattung", "konto", "überweisung"),
    },
    "chinese": {
        "delivery": ("包裹在哪里", "还没收到货", "物流信息", "快递延误", "什么时候送到"),
        "refund": ("我要退款", "退货", "把钱退给我", "退款多久到账", "申请退款"),
    },
}


def _tickets(script: str, seed: int, tickets: int = 200) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    random = np.random.default_rng(seed)
    words, joint = SCRIPTS[script], "，" if script == "chinese" else " "
    intents = random.choice(list(words), tickets)
    texts = [joint.join(random.choice(words[one], 2)) for one in intents]
    frame = pd.DataFrame({"ticket_id": [f"t{place:03d}" for place in range(tickets)], "text": texts})
    frame = frame.assign(messages=1, unanswered_messages=1)
    frame["opened_at"] = pd.Timestamp("2011-01-01") + pd.to_timedelta(np.arange(tickets), unit="h")
    return {"tickets": frame}, pd.DataFrame(
        {"ticket_id": frame["ticket_id"], "intent": intents, "urgency": None, "is_known": True}
    )


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("kind", [TfidfLinear, TextNetwork])
def test_german_and_chinese_without_spaces_are_read(kind: type[TfidfLinear], script: str) -> None:
    model = kind(automatic_accuracy=0.9).fit(*_tickets(script, 1))
    unseen, truth = _tickets(script, 2)
    judged = metrics.with_labels(model.predict(unseen), truth)
    assert value(metrics.accuracy(judged)) > 0.95
    assert value(metrics.automatic_share(judged)) > 0.5


def test_a_chinese_word_is_found_within_another_sentence() -> None:
    first, second = grams_of(["请问我的包裹在哪里", "包裹还没到"]), grams_of(["my parcel", "refund"])
    shared = np.intersect1d(first.take(np.array([0])).ids, first.take(np.array([1])).ids)
    assert len(shared) >= 3  # both characters and the pair
    assert not len(np.intersect1d(second.take(np.array([0])).ids, second.take(np.array([1])).ids))


@given(st.lists(st.text(max_size=30), max_size=6), st.lists(st.integers(0, 5), max_size=8))
def test_grams_of_a_text_do_not_depend_on_the_others(texts: list[str], drawn: list[int]) -> None:
    grams = grams_of(texts)
    assert ((grams.ids >= 0) & (grams.ids < BUCKETS)).all()
    rows = np.array([row for row in drawn if row < len(texts)], dtype=np.int64)
    taken, anew = grams.take(rows), grams_of([texts[row] for row in rows])
    np.testing.assert_array_equal(taken.ids, anew.ids)
    np.testing.assert_array_equal(taken.starts, anew.starts)


def test_a_text_without_a_known_gram_is_row_0() -> None:
    grams = Grams(np.array([3, 9, 9]), np.array([0, 2, 2, 3]))
    found = known(grams, np.array([3, 5]))
    assert found.ids.tolist() == [1, 0, 0]
    assert found.starts.tolist() == [0, 1, 2, 3]
    network = NgramNetwork(2, 4, Recipe(dim=8, hidden=8)).eval()
    assert network(found).shape == (3, 4)


def test_attention_weighs_the_ngrams_of_a_text() -> None:
    import torch

    network = NgramNetwork(2, 2, Recipe(dim=8, hidden=8)).eval()
    both, one = Grams(np.array([1, 2]), np.array([0, 2])), Grams(np.array([2]), np.array([0, 1]))
    with torch.no_grad():
        assert not torch.allclose(network(both), network(one), atol=1e-4)
        network.attention[2] = 10.0  # all eyes on the second
        torch.testing.assert_close(network(both), network(one), atol=1e-3, rtol=1e-3)


def test_weights_prefer_the_part_that_is_right() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 400)
    good, noise = np.eye(3)[labels] + random.normal(0, 0.4, (400, 3)), random.normal(0, 1, (400, 3))
    stack = Stack().fit([View(good), View(noise)], labels)
    assert stack.weights[0] > 10 * stack.weights[1]
    probability = softmax(stack.logits([View(good), View(noise)]))
    right = probability.argmax(axis=1) == labels
    assert probability.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.02)  # calibrated


def test_certainty_takes_likeness_to_tell_what_is_new() -> None:
    random = np.random.default_rng(2)
    labels = np.where(np.arange(600) % 5 == 0, -1, random.integers(0, 3, 600))
    logits = np.eye(3)[random.integers(0, 3, 600)]  # of new ones as sure as of others
    logits[labels >= 0] = np.eye(3)[labels[labels >= 0]]
    like = np.where(labels < 0, 0.2, 0.6) + random.normal(0, 0.05, 600)
    views = [View(logits + random.normal(0, 0.1, (600, 3)), like)]
    stack = Stack().fit(views, labels)
    certain = stack.certain(views)
    assert certain[labels < 0].max() < certain[labels >= 0].min() or (
        np.mean(certain[labels < 0]) < 0.1 < 0.9 < np.mean(certain[labels >= 0])
    )


def test_certainty_of_all_right_guesses_is_their_probability() -> None:
    labels = np.arange(40) % 2
    views = [View(3.0 * np.eye(2)[labels])]
    stack = Stack().fit(views, labels)
    assert stack.certainty == []
    np.testing.assert_allclose(stack.certain(views), softmax(stack.logits(views)).max(axis=1))


def test_unseen_intents_are_a_fifth_of_the_tickets_at_most() -> None:
    labels = np.repeat(np.array(list("abcdefghij"), dtype=object), [50, 20, 10, 5, 5, 3, 3, 2, 1, 1])
    for seed in range(20):
        found = unseen_intents(labels, seed)
        assert found
        assert np.isin(labels, found).mean() <= 0.2
    assert unseen_intents(labels[:80], 7) == []  # three intents


def _of_many_intents(seed: int, intents: list[str], each: int) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Texts of two words of their intent and two that all share."""
    random = np.random.default_rng(seed)
    shared = ("hello", "please", "order", "thanks", "today", "help")
    labels = np.repeat(np.array(intents, dtype=object), each)
    texts = [
        " ".join([*(f"{one}{place}" for place in random.integers(0, 6, 2)), *random.choice(shared, 2)])
        for one in labels
    ]
    order = random.permutation(len(labels))
    frame = pd.DataFrame({"ticket_id": [f"t{place:04d}" for place in range(len(labels))], "text": texts})
    frame = frame.assign(messages=1, unanswered_messages=1)
    frame["opened_at"] = pd.Timestamp("2011-01-01") + pd.to_timedelta(order, unit="min")
    return {"tickets": frame}, frame[["ticket_id"]].assign(intent=labels, urgency=None, is_known=True)


def test_tickets_of_a_kind_never_seen_go_to_a_person() -> None:
    names = [f"{letter}intent" for letter in "bcdfghklmnprst"]
    model = TfidfLinear(automatic_accuracy=0.95).fit(*_of_many_intents(1, names[:11], 40))
    for intents, least, most in ((names[:11], 0.0, 0.2), (names[11:], 0.9, 1.0)):
        unseen, _ = _of_many_intents(2, intents, 20)
        assert least <= model.predict(unseen)["needs_human"].mean() <= most


def test_nearest_is_the_greatest_cosine() -> None:
    random = np.random.default_rng(3)
    asked, others = (rows_of_length_one(random.normal(size=(n, 8)).astype(np.float32)) for n in (700, 30))
    np.testing.assert_allclose(nearest(asked, others), (asked @ others.T).max(axis=1), rtol=1e-5)
    assert nearest(asked[:0], others).shape == (0,)


def test_models_that_share_a_shelf_learn_what_each_does_alone() -> None:
    from models.shelf import Shelf

    features, targets = ticket_frames()
    shelf = Shelf()
    shared = [kind() for kind in (TfidfLinear, TextNetwork)]
    for model in shared:
        model.shelf = shelf
        model.fit(features, targets)
    assert shared[0].parts[0] is shared[1].parts[0]
    assert shelf.size > 0
    alone = TextNetwork().fit(features, targets)
    pd.testing.assert_frame_equal(alone.predict(features), shared[1].predict(features))
