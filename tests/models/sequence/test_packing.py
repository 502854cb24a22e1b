"""Packing: every event that has a next one is an input once, and padding is seen by nobody."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommendations.sequence.packing import Sequences, from_events, laid_out, pack, slabs, steps, windows

LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=30)


def numbered(lengths: list[int]) -> Sequences:
    """Events that hold their own number."""
    return Sequences(np.arange(sum(lengths)), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


@given(LENGTHS, st.integers(1, 12), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_windows_hold_each_event_that_has_a_next_one_once(lengths: list[int], length: int, seed: int) -> None:
    sequences = numbered(lengths)
    starts, sizes = windows(sequences, length, np.random.default_rng(seed))
    assert not len(sizes) or (sizes.min() >= 1 and sizes.max() <= length)
    found = np.concatenate([np.arange(s, s + n) for s, n in zip(starts, sizes, strict=True)] or [np.zeros(0, int)])
    last = set((sequences.starts[1:] - 1)[sequences.lengths > 0].tolist())
    assert sorted(found.tolist()) == [event for event in range(sum(lengths)) if event not in last]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_groups_hold_each_token_in_its_row_and_little_else(lengths: list[int]) -> None:
    sequences = numbered(lengths)
    packed = pack(sequences.starts[:-1], sequences.lengths)
    assert sorted(packed.events.tolist()) == list(range(sum(lengths)))
    assert packed.pad[packed.unpad].tolist() == list(range(sum(lengths)))
    assert len(packed.pad) == sum(rows * width for rows, width in packed.groups)
    assert len(packed.pad) <= 1.1 * sum(lengths) + 128 * len(packed.groups)
    at = 0
    for rows, width in packed.groups:
        for _ in range(rows):
            row = packed.positions[packed.pad[at : at + width]]
            assert row.tolist() == np.minimum(np.arange(width), row.max()).tolist()
            at += width
    assert packed.events[packed.ends].tolist() == (sequences.starts[1:] - 1)[packed.order].tolist()


def test_steps_follow_the_order_given() -> None:
    found = list(steps(np.array([3, 1, 4, 1, 5]), 5, np.array([4, 0, 1, 2, 3])))
    assert [one.tolist() for one in found] == [[4], [0, 1], [2, 3]]


def test_the_slab_of_a_user_follows_from_the_own_length() -> None:
    lengths = np.array([0, 1, 8, 9, 10, 33, 40, 200, 199, 9])
    found = list(slabs(np.append(lengths, [9, 9]), 200, 40))
    assert [(users.tolist(), width) for users, width in found] == [
        ([1], 1),
        ([2], 8),
        ([3, 4, 9, 10], 10),
        ([11], 10),
        ([5, 6], 40),
        ([7, 8], 200),
    ]
    alone = {length: width for length in set(lengths.tolist()) for _, width in slabs(np.array([length]), 200, 40)}
    assert all(alone[length] == width for users, width in found for length in lengths[users[users < 10]].tolist())
    assert all(length <= width <= 1.25 * length for length, width in alone.items())


def test_a_slab_is_filled_up_with_the_last_event() -> None:
    assert laid_out(numbered([2, 3]), 3).tolist() == [0, 1, 1, 2, 3, 4]


def test_sequences_by_hand() -> None:
    found = from_events(np.array([1, 0, 1, 1, 0]), np.array([10, 11, 12, 13, 14]), 3)
    assert found.items.tolist() == [11, 14, 10, 12, 13]
    assert found.lengths.tolist() == [2, 3, 0]
    assert found.latest(2).items.tolist() == [11, 14, 12, 13]
    assert found.last(np.array([1, 0])).tolist() == [13, 14]
    assert found.without_last(np.array([0, 1])).items.tolist() == [11, 10, 12]
    assert found.of(np.array([1, 2, 0])).items.tolist() == [10, 12, 13, 11, 14]


def test_what_came_at_once_is_one_basket() -> None:
    """Baskets a: {0, 1}, {2}, {3, 4}; b: {5, 6}, begun when a's last was; c: nothing."""
    users, at = np.array([0] * 5 + [1] * 2), np.array([1, 1, 2, 3, 3, 3, 3])
    found = from_events(users, np.arange(7), 3, at)
    start, count = found.following
    assert count.tolist() == [1, 1, 2, 0, 0, 0, 0]
    assert start[:3].tolist() == [2, 2, 3]
    assert found.inputs.tolist() == [3, 0, 0]
    assert found.without_last(np.array([0, 1])).items.tolist() == [0, 1, 2]
    assert found.without_last(np.array([0])).lengths.tolist() == [3, 2, 0]
    assert {int(found.last(np.array([0]))[0]), int(found.last(np.array([1]))[0])} <= {3, 4, 5, 6}
    starts, sizes = windows(found, 2, np.random.default_rng(0))
    assert sorted(np.concatenate([np.arange(s, s + n) for s, n in zip(starts, sizes, strict=True)])) == [0, 1, 2]
    assert found.of(np.array([1, 0])).following[1].tolist() == [0, 0, 1, 1, 2, 0, 0]
    assert found.latest(3).following[1].tolist() == [2, 0, 0, 0, 0]
