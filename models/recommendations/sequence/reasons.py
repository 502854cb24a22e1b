"""Which product of a customer's history explains a candidate: chosen by likeness, proven by leaving it out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.recommendations.sequence.network import Network
from models.recommendations.sequence.packing import Ints, Sequences, from_events
from models.recommendations.sequence.scoring import Floats, all_vectors, encode

RECENCY = 0.9
"""What an event's likeness is worth by the next later one's."""
LEAST_FALL = 0.05
"""By how much the logit must fall without the product (odds lower by 5 %): above all rounding."""
CELLS = 65_536
"""Pairs of a row and an event that are compared at once."""


def explaining(network: Network, sequences: Sequences, users: Ints, items: Ints, logits: Floats) -> Ints:
    """[R] the item of the user's history without which the row's logit falls, -1 where there is none.

    users, items, logits [R]: rows, each a candidate with its logit; sequences: what the logits were made of.
    A user whose history is that one product would have no candidate without it: it explains all of them.
    """
    because = likest(network, sequences, users, items)
    named = because >= 0
    if not named.any():
        return because
    fallen = np.zeros(len(users), bool)
    fallen[named] = (
        _without(network, sequences, users[named], items[named], because[named]) < logits[named] - LEAST_FALL
    )
    return np.where(fallen, because, -1)


def likest(network: Network, sequences: Sequences, users: Ints, items: Ints) -> Ints:
    """[R] the item among the user's last events most like the row's own (cosine by recency), -1 where none is like it.

    The row's item itself explains nothing.
    """
    vectors = functional.normalize(all_vectors(network), dim=1)
    recent = sequences.latest(network.shape.length)
    found = np.full(len(users), -1, np.int64)
    ends = np.cumsum(recent.lengths[users])
    for rows in np.split(np.arange(len(users)), np.flatnonzero(np.diff(ends // CELLS)) + 1):
        if len(rows):
            found[rows] = _likest(vectors, recent.of(users[rows]), items[rows])
    return found


def _likest(vectors: Tensor, histories: Sequences, items: Ints) -> Ints:
    """`likest` of rows whose histories stand one after the other."""
    row = np.repeat(np.arange(len(items)), histories.lengths)
    age = histories.starts[1:][row] - 1 - np.arange(len(row))
    one, other = (torch.from_numpy(part).to(vectors.device) for part in (histories.items, items[row]))
    with torch.inference_mode():
        cosine = (vectors.index_select(0, one) * vectors.index_select(0, other)).sum(dim=1).cpu().numpy()
    worth = np.where(histories.items == items[row], -np.inf, cosine * RECENCY**age)
    order = np.lexsort((-age, -worth, row))
    first = np.unique(row[order], return_index=True)
    best = order[first[1]]
    found = np.full(len(items), -1, np.int64)
    found[first[0]] = np.where(worth[best] > 0, histories.items[best], -1)
    return found


def _without(network: Network, sequences: Sequences, users: Ints, items: Ints, gone: Ints) -> Floats:
    """[R] the rows' logits with the item `gone` out of the user's history, -inf where no history is left.

    Each user and item is encoded once, however many rows name them.
    """
    pairs, place = np.unique(np.stack([users, gone]), axis=1, return_inverse=True)
    histories = sequences.of(pairs[0])
    who = np.repeat(np.arange(len(histories)), histories.lengths)
    kept = histories.items != pairs[1][who]
    left = from_events(who[kept], histories.items[kept], len(histories))
    sought = encode(network, left)
    device = sought.device
    with torch.inference_mode():
        wanted = all_vectors(network).index_select(0, torch.from_numpy(items).to(device))
        found = (sought.index_select(0, torch.from_numpy(place.ravel()).to(device)) * wanted).sum(dim=1).cpu().numpy()
    return np.where(left.lengths[place.ravel()] > 0, found, -np.inf).astype(np.float32)
