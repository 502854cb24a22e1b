"""The network sees no future, packing changes nothing, and the loss is the softmax over the catalogue."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from models.recommendations.sequence import scoring
from models.recommendations.sequence.growth import grown
from models.recommendations.sequence.loss import Negatives, shared_softmax
from models.recommendations.sequence.network import Network, Shape, to_batch
from models.recommendations.sequence.packing import Sequences, from_events, pack
from models.recommendations.sequence.runtime import on_device
from models.recommendations.sequence.scoring import (
    all_vectors,
    encode,
    is_same_for_a_user,
    ndcg_of_next,
    ranks_of,
    score_top_k,
)
from models.recommendations.sequence.top_k import top_k

ITEMS = 300
CPU = torch.device("cpu")


def network(words: int = 0, content: np.ndarray | None = None) -> Network:
    torch.manual_seed(1)
    found = Network(
        Shape(items=ITEMS, dim=16, blocks=2, heads=2, hidden=24, length=12, words=words),
        None if content is None else torch.from_numpy(content),
    ).eval()
    with torch.no_grad():
        for weight in found.parameters():
            weight += torch.randn_like(weight) * 0.2
    return found


def sequences(lengths: list[int], seed: int = 0) -> Sequences:
    items = np.random.default_rng(seed).integers(0, ITEMS, sum(lengths))
    return from_events(np.repeat(np.arange(len(lengths)), lengths), items, len(lengths))


def told(net: Network, found: Sequences) -> torch.Tensor:
    """[T, d] in the order of the events."""
    packed = pack(found.starts[:-1], found.lengths)
    with torch.inference_mode():
        out = net(net.vectors(torch.from_numpy(found.items[packed.events])), to_batch(packed, CPU))
    return out[torch.from_numpy(np.argsort(packed.events))]


def test_what_comes_later_changes_nothing_before_it() -> None:
    net, found = network(), sequences([9, 12, 4])
    before = told(net, found)
    for place in (0, 3, 8):
        changed = found.items.copy()
        changed[place + 1 : 9] = (changed[place + 1 : 9] + 7) % ITEMS
        after = told(net, Sequences(changed, found.starts))
        assert torch.allclose(after[: place + 1], before[: place + 1], atol=1e-6)
        assert place == 8 or not torch.allclose(after[place + 1 : 9], before[place + 1 : 9], atol=1e-2)
        assert torch.allclose(after[9:], before[9:], atol=1e-6), "another customer's events are not seen"


def test_packed_is_what_each_sequence_alone_gives() -> None:
    net, lengths = network(), [12, 1, 7, 7, 3, 11, 2]
    found = sequences(lengths)
    alone = [told(net, found.of(np.array([user]))) for user in range(len(lengths))]
    assert torch.allclose(told(net, found), torch.cat(alone), atol=1e-5)
    ends = torch.stack([one[-1] for one in alone])
    assert torch.allclose(encode(net, found), ends, atol=1e-5)


@pytest.mark.parametrize(("dim", "heads"), [(16, 1), (48, 3), (128, 2)])
def test_a_users_bits_follow_from_the_own_events_alone(dim: int, heads: int) -> None:
    """Whoever is scored as well, in whatever order, and with however many threads."""
    torch.manual_seed(2)
    net = Network(Shape(items=2_500, dim=dim, heads=heads, hidden=3 * dim, length=40)).eval()
    assert is_same_for_a_user(net.shape, "cpu")
    random = np.random.default_rng(3)
    lengths = random.integers(0, 60, 600)
    found = from_events(np.repeat(np.arange(600), lengths), random.integers(0, 2_500, lengths.sum()), 600)
    places, scores = score_top_k(net, found, 10, seen=found)
    assert not is_same_for_a_user(net.shape, "cuda")
    assert not is_same_for_a_user(Shape(items=1, dim=50, heads=2), "cpu")
    for threads, count in ((1, 1), (1, 3), (2, 40), (3, 257), (3, 600)):
        users = random.permutation(600)[:count]
        with on_device("cpu", threads):
            again, theirs = score_top_k(net, found.of(users), 10, seen=found.of(users))
        assert np.array_equal(places[users], again)
        assert np.array_equal(scores[users], theirs)


def test_only_the_last_events_are_looked_at_and_nobody_without_events_is_told_anything() -> None:
    net, found = network(), sequences([30, 0, 5])
    assert torch.allclose(encode(net, found)[0], encode(net, found.latest(12))[0], atol=1e-6)
    assert (encode(net, found)[1] == 0).all()


@pytest.mark.parametrize("power", [0.0, 0.75])
def test_shared_softmax_and_its_gradient_are_those_of_the_plain_one(power: float) -> None:
    torch.manual_seed(2)
    sought, table = torch.randn(20, 8, dtype=torch.float32), torch.randn(50, 8)
    right = np.random.default_rng(0).integers(0, 50, 20)
    drawn, shift = Negatives(np.arange(50), 30, power).draw(np.random.default_rng(1))
    same = np.argwhere(right[:, None] == drawn[None]).T.copy()
    parts = [sought.clone(), table[right].clone(), table[drawn].clone()]
    ours, plain = [[part.clone().requires_grad_() for part in parts] for _ in range(2)]
    shared_softmax(*ours, torch.from_numpy(shift), torch.from_numpy(same)).backward()
    logits = plain[0] @ plain[2].T + torch.from_numpy(shift)
    logits = logits.masked_fill(torch.from_numpy(right[:, None] == drawn[None]), -torch.inf)
    whole = torch.cat([(plain[0] * plain[1]).sum(dim=1, keepdim=True), logits], dim=1)
    torch.nn.functional.cross_entropy(whole, torch.zeros(20, dtype=torch.int64)).backward()
    for one, other in zip(ours, plain, strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-6)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_drawn_negatives_estimate_the_sum_over_the_catalogue(power: float) -> None:
    counts = np.arange(1, 201)
    value = np.random.default_rng(0).random(200)
    negatives, random = Negatives(counts, 40, power), np.random.default_rng(1)
    sums = [(value[items] * np.exp(shift)).sum() for items, shift in (negatives.draw(random) for _ in range(2000))]
    assert np.mean(sums) == pytest.approx(value.sum(), rel=0.02)
    assert Negatives(counts, 1_000).draw(random)[0].tolist() == list(range(200))


def test_top_k_is_that_of_a_full_sort() -> None:
    torch.manual_seed(3)
    scores = torch.randn(40, 2_000)
    value, item = top_k(scores, 7)
    expected = torch.sort(scores, dim=1, descending=True)
    assert torch.equal(value, expected.values[:, :7])
    assert torch.equal(item, expected.indices[:, :7])
    assert top_k(torch.tensor([[0.0, 2.0, 1.0, 1.0]]), 3)[1].tolist() == [[1, 2, 3]]


def test_scores_leave_out_what_was_seen_and_what_is_not_shown() -> None:
    net, found = network(), sequences([10, 6, 8])
    shown = np.ones(ITEMS, bool)
    shown[::3] = False
    places, scores = score_top_k(net, found, 250, seen=found, shown=shown, users_at_once=2)
    whole = (encode(net, found) @ all_vectors(net).T).numpy()
    for user in range(3):
        gone = set(found.of(np.array([user])).items.tolist()) | set(range(0, ITEMS, 3))
        left = [item for item in np.argsort(-whole[user], kind="stable") if item not in gone]
        assert [item for item in places[user] if item >= 0] == left
        assert scores[user, : len(left)] == pytest.approx(whole[user][left], abs=1e-5)


@pytest.mark.parametrize(("users", "tokens"), [(1, 1), (7, 30), (64, 200)])
def test_chunks_of_another_size_give_the_same_lists(users: int, tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net, found = network(), sequences(np.random.default_rng(4).integers(0, 15, 90).tolist())
    places, scores = score_top_k(net, found, 20, seen=found)
    monkeypatch.setitem(scoring.ENCODED_CELLS, "cpu", tokens)
    again, theirs = score_top_k(net, found, 20, seen=found, users_at_once=users)
    assert np.allclose(scores, theirs, atol=1e-5)
    gap = np.abs(np.diff(scores, axis=1))
    is_near = np.zeros_like(places, bool)  # places that may be swapped by rounding
    is_near[:, 1:] |= gap < 1e-5
    is_near[:, :-1] |= gap < 1e-5
    assert ((places == again) | is_near)[found.lengths > 0].all()
    assert is_near[found.lengths > 0].mean() < 0.01


def test_ranks_count_the_unseen_items_above() -> None:
    net, found = network(), sequences([10, 6, 8])
    places, _ = score_top_k(net, found, ITEMS, seen=found)
    targets = np.array([places[0, 0], places[1, 4], places[2, 100]])
    assert ranks_of(net, found, targets).tolist() == [0, 4, 100]
    assert ndcg_of_next(net, found, targets) == pytest.approx((1 + 1 / np.log2(6)) / 3)


def test_a_new_item_is_told_by_its_content() -> None:
    content = np.random.default_rng(0).integers(0, 21, (ITEMS, 4))
    net = network(20, content)
    old, new = pd.Index(range(ITEMS)), pd.Index([*range(0, ITEMS, 2), 999])
    bigger = grown(net, old, new, np.concatenate([content[::2], content[:1]]))
    assert torch.equal(all_vectors(bigger)[:-1], all_vectors(net)[::2])
    assert torch.allclose(all_vectors(bigger)[-1], all_vectors(net)[0] - net.item[0], atol=1e-6)
