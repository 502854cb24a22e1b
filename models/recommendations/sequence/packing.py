"""Sequences of items by user, and how they are packed: padding only inside attention, and little of it there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
WASTE = 1.1
"""Padded tokens by tokens, within a group that attends together, at most (plus SLACK)."""
SLACK = 128
"""Padded tokens that are cheaper than one more group."""


@dataclass(frozen=True)
class Sequences:
    """Items of each user in time order: user u's are items[starts[u]:starts[u + 1]].

    Events of a user with the same number in `baskets` came at once: their order says nothing, and what comes next is
    the basket after. Without the numbers each event is a basket of its own.
    """

    items: Ints  # [E]
    starts: Ints  # [U + 1]
    baskets: Ints | None = None  # [E]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Ints:
        """[U] events of each user."""
        return np.diff(self.starts)

    def of(self, users: Ints) -> Sequences:
        """The sequences of these users, in this order."""
        lengths = self.lengths[users]
        return self._at(_ranges(self.starts[users], lengths), lengths)

    def latest(self, most: int) -> Sequences:
        """The last `most` events of each user."""
        kept = np.minimum(self.lengths, most)
        return self._at(_ranges(self.starts[1:] - kept, kept), kept)

    def _at(self, events: Ints, lengths: Ints) -> Sequences:
        return Sequences(self.items[events], _starts(lengths), None if self.baskets is None else self.baskets[events])

    @cached_property
    def following(self) -> tuple[Ints, Ints]:
        """[E] where the basket after each event's own begins, and how many events it has: 0 where there is none."""
        users = np.repeat(np.arange(len(self)), self.lengths)
        baskets = np.arange(len(users)) if self.baskets is None else self.baskets
        begins = np.ones(len(users), np.bool_)
        begins[1:] = (users[1:] != users[:-1]) | (baskets[1:] != baskets[:-1])
        first = np.flatnonzero(begins)
        size = np.diff(np.append(first, len(users)))
        has_next = np.append(users[first[1:]] == users[first[:-1]], [False])[: len(first)]
        group = np.cumsum(begins) - 1
        start, count = np.append(first[1:], [0])[: len(first)], np.append(size[1:], [0])[: len(first)]
        return start[group], np.where(has_next, count, 0)[group]

    @cached_property
    def inputs(self) -> Ints:
        """[U] events of each user that have a basket after their own, the first of the user."""
        told = np.concatenate([[0], np.cumsum(self.following[1] > 0)])
        return np.diff(told[self.starts])

    def without_last(self, users: Ints) -> Sequences:
        """The same without the last basket of these users."""
        lengths = self.lengths.copy()
        lengths[users] = self.inputs[users]
        return self._at(_ranges(self.starts[:-1], lengths), lengths)

    def last(self, users: Ints) -> Ints:
        """[n] an item of the last basket of each of these users, who must have one; the user's number says which."""
        size = self.lengths[users] - self.inputs[users]
        return self.items[self.starts[1:][users] - 1 - users % size]


def from_events(users: Ints, items: Ints, count: int, at: Ints | None = None) -> Sequences:
    """Sequences of `count` users from events in time order; an event's user is users[e], in 0..count-1.

    at [E]: when each came; those of one user at once are a basket.
    """
    order = np.argsort(users, kind="stable")
    lengths = np.bincount(users, minlength=count).astype(np.int64)
    baskets = None if at is None else np.asarray(at, np.int64)[order]
    return Sequences(np.asarray(items, np.int64)[order], _starts(lengths), baskets)


@dataclass(frozen=True)
class Packed:
    """Pieces of sequences, one after the other, the short ones first.

    Attention works on groups of pieces of like length: `pad` lays the tokens out as rows of a group, each
    row filled up with copies of its last token (which comes later, so that none of its tokens sees them).
    """

    events: Ints  # [T] place of each token among the events
    positions: Ints  # [T] place in its piece
    groups: list[tuple[int, int]]  # rows and tokens a row of each group
    pad: Ints  # [P] token of each cell of the groups
    unpad: Ints  # [T] cell of each token
    order: Ints  # [B] which of the pieces given stands at this place
    ends: Ints  # [B] the last token of each piece


def pack(starts: Ints, lengths: Ints) -> Packed:
    """Pack the pieces events[start : start + length], each of at least one token; there may be none."""
    order = np.argsort(lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    base = _starts(lengths)
    groups = _groups(lengths)
    rows, width = np.asarray(groups, np.int64).reshape(-1, 2).T
    widths = np.repeat(width, rows)
    cells, row = _starts(widths), np.repeat(np.arange(len(widths)), widths)
    place = np.arange(cells[-1]) - cells[row]
    positions = np.arange(base[-1]) - np.repeat(base[:-1], lengths)
    return Packed(
        events=np.repeat(starts, lengths) + positions,
        positions=positions,
        groups=groups,
        pad=base[row] + np.minimum(place, lengths[row] - 1),
        unpad=np.repeat(cells[:-1], lengths) + positions,
        order=order,
        ends=base[1:] - 1,
    )


def _groups(lengths: Ints) -> list[tuple[int, int]]:
    """Rows and tokens a row of the groups of pieces, which are sorted by length."""
    groups, first, tokens = [], 0, 0
    for at, length in enumerate(lengths.tolist()):
        if at > first and (at + 1 - first) * length > WASTE * (tokens + length) + SLACK:
            groups.append((at - first, int(lengths[at - 1])))
            first, tokens = at, 0
        tokens += length
    if len(lengths):
        groups.append((len(lengths) - first, int(lengths[-1])))
    return groups


def windows(sequences: Sequences, length: int, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Starts and lengths of windows of at most `length` events that have a next basket, covering all of them.

    A longer sequence is cut anew each time: its first window has a random length.
    """
    inputs = sequences.inputs
    first = np.where(inputs > length, random.integers(1, length + 1, len(inputs)), inputs)
    count = np.where(inputs > 0, 1 + -(-(inputs - first) // length), 0)
    user = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(user)) - _starts(count)[user]
    begin = np.where(place > 0, first[user] + (place - 1) * length, 0)
    end = np.where(place > 0, np.minimum(begin + length, inputs[user]), first[user])
    return sequences.starts[user] + begin, end - begin


def steps(lengths: Ints, tokens: int, order: Ints) -> Iterator[Ints]:
    """Which pieces go together: in this order, about `tokens` of their tokens at a time."""
    which = (np.cumsum(lengths[order]) - 1) // tokens
    for part in np.split(order, np.flatnonzero(np.diff(which)) + 1):
        if len(part):
            yield part


def slabs(lengths: Ints, most: int, cells: int) -> Iterator[tuple[Ints, int]]:
    """Users of about the same length and the width, at most `most`, that theirs are filled up to; about `cells` a slab.

    A user's width follows from the own length alone; users without events are left out.
    """
    step = 2 ** np.maximum(np.frexp(lengths)[1] - 3, 0)  # at most a quarter more
    width = np.minimum(-(-lengths // step) * step, most)
    order = np.argsort(width, kind="stable")
    for users in np.split(order, np.flatnonzero(np.diff(width[order])) + 1):
        if len(users) and (wide := int(width[users[0]])):
            for first in range(0, len(users), rows_of(wide, cells)):
                yield users[first : first + rows_of(wide, cells)], wide


def rows_of(width: int, cells: int) -> int:
    """Rows of a slab: always the same for a width; a multiple of 4, so that no vector of a processor is cut."""
    return max(cells // width // 4, 1) * 4


def laid_out(sequences: Sequences, width: int) -> Ints:
    """[U * width] the items of each user, filled up with the last one."""
    place = np.minimum(np.arange(width), sequences.lengths[:, None] - 1)
    return sequences.items[(sequences.starts[:-1, None] + place).ravel()]


def _starts(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _ranges(starts: Ints, lengths: Ints) -> Ints:
    """start, start + 1, ... of each pair, one after the other."""
    base = _starts(lengths)
    return np.arange(base[-1]) - np.repeat(base[:-1] - starts, lengths)
