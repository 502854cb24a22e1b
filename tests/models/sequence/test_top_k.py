"""Top-k is that of a full sort: equal scores by item, whatever the shape."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.recommendations.sequence.packing import Sequences
from models.recommendations.sequence.scoring import best_of
from models.recommendations.sequence.top_k import BLOCK, top_k


def by_sorting(scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    found = torch.sort(scores, dim=1, descending=True, stable=True)
    return found.values[:, :k], found.indices[:, :k]


@settings(deadline=None, max_examples=200)
@given(
    rows=st.integers(1, 9),
    items=st.integers(1, 40 * BLOCK),
    k=st.integers(1, 30),
    levels=st.sampled_from([1, 2, 5, 50, 1_000, 0]),
    gone=st.sampled_from([0.0, 0.3, 0.999, 1.0]),
    seed=st.integers(0, 2**31),
)
@example(rows=3, items=40 * BLOCK, k=2, levels=1, gone=0.0, seed=1)
@example(rows=3, items=40 * BLOCK - 1, k=3, levels=2, gone=0.999, seed=1)
def test_top_k_is_that_of_a_full_sort(rows: int, items: int, k: int, levels: int, gone: float, seed: int) -> None:
    """levels: how many different scores there are, 0: all. gone: share of -inf."""
    random = torch.Generator().manual_seed(seed)
    scores = torch.randn(rows, items, generator=random)
    if levels:
        scores = torch.randint(levels, (rows, items), generator=random).float()
    scores[torch.rand(rows, items, generator=random) < gone] = -torch.inf
    value, item = top_k(scores, k)
    expected = by_sorting(scores, k)
    assert torch.equal(value, expected[0])
    assert torch.equal(item, expected[1])


@pytest.mark.parametrize("items", [1, 5, BLOCK, 70 * BLOCK, 70 * BLOCK + 9])
@pytest.mark.parametrize("at_once", [1, 4, 128])
def test_best_of_is_that_of_a_full_sort(items: int, at_once: int) -> None:
    random = np.random.default_rng([items, at_once])
    sought = torch.from_numpy(random.integers(-3, 4, (11, 8)).astype(np.float32))  # whole numbers: exact in any order
    vectors = torch.from_numpy(random.integers(-3, 4, (items, 8)).astype(np.float32))
    lengths = random.integers(0, items + 1, 11)
    seen = Sequences(
        np.concatenate([random.choice(items, length, replace=False) for length in lengths]),
        np.concatenate([[0], np.cumsum(lengths)]),
    )
    shown = random.random(items) < 0.8
    scores = sought @ vectors.T
    scores[:, torch.from_numpy(~shown)] = -torch.inf
    for user in range(11):
        scores[user, torch.from_numpy(seen.of(np.array([user])).items)] = -torch.inf
    value, item = by_sorting(scores, 7)
    places, found = best_of(sought, vectors, 7, seen=seen, shown=shown, users_at_once=at_once)
    assert np.array_equal(found, value.numpy())
    assert np.array_equal(places, torch.where(torch.isinf(value), -1, item).numpy())
