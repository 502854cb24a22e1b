"""Scores of the network: what comes next for each user, over the full catalogue, in chunks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.recommendations.sequence.network import Batch, Network, Shape
from models.recommendations.sequence.packing import Ints, Sequences, laid_out, rows_of, slabs
from models.recommendations.sequence.runtime import in_threads
from models.recommendations.sequence.top_k import BLOCK, top_k

Floats = NDArray[np.float32]
ENCODED_CELLS = {"cpu": 1_024, "cuda": 16_384}
"""Tokens that are encoded at once by a thread, or by the GPU, about."""
ALIGNED = 16
"""Numbers of 4 bytes in the longest vector that a processor takes at once."""
SCORED_USERS = 256
"""Users that are scored at once: their scores take users x items x 4 bytes."""
STRIP = 2_048
"""Items that are scored at once, whole blocks: few enough for the scores to be in the cache when they are looked at."""


def is_same_for_a_user(shape: Shape, device: str) -> bool:
    """Whether a user's scores are the same, bit for bit, whoever is scored as well, and with any number of threads.

    Seen on CPUs alone, where products of some rows or more give a row the same wherever it stands: if it begins at a
    multiple of 64 bytes, as heads of 16 numbers do (heads of 25 did not).
    """
    return device == "cpu" and shape.dim // shape.heads % ALIGNED == 0 and shape.hidden % ALIGNED == 0


def encode(network: Network, sequences: Sequences) -> Tensor:
    """[U, d] what each user's last events ask for; nothing (zeros) where a user has none.

    The shape of a user's batch follows from the own length alone, and one thread takes it.
    """
    recent = sequences.latest(network.shape.length)
    device = network.item.device
    cells = ENCODED_CELLS[device.type]
    parts = list(slabs(recent.lengths, network.shape.length, cells))
    found = torch.zeros(len(recent), network.shape.dim, device=device)
    for (users, _), sought in zip(
        parts, in_threads(lambda part: _encoded(network, recent, *part, cells), parts), strict=True
    ):
        found[torch.from_numpy(users).to(device)] = sought
    return found


def _encoded(network: Network, recent: Sequences, users: Ints, width: int, cells: int) -> Tensor:
    """[u, d] of the users of one slab, whose other rows repeat them."""
    rows, device = rows_of(width, cells), network.item.device
    own = recent.of(np.resize(users, rows))
    places = torch.arange(rows * width, device=device)
    batch = Batch(places % width, places, places, [(rows, width)])
    ends = torch.from_numpy(np.arange(len(users)) * width + recent.lengths[users] - 1).to(device)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        tokens = torch.from_numpy(laid_out(own, width)).to(device)
        sought: Tensor = network(network.vectors(tokens), batch)
        return sought[ends].float()


def all_vectors(network: Network) -> Tensor:
    """[N, d] the vector of every item."""
    with torch.inference_mode():
        return network.vectors(torch.arange(network.shape.items, device=network.item.device))


def score_top_k(
    network: Network,
    sequences: Sequences,
    k: int,
    *,
    seen: Sequences | None = None,
    shown: NDArray[np.bool_] | None = None,
    users_at_once: int = SCORED_USERS,
) -> tuple[Ints, Floats]:
    """[U, k] items and scores, the best first, exact over the full catalogue; item -1 where nothing is left.

    seen: items of each user that are left out (events of the same users, any order). shown [N]: items that may appear.
    """
    return best_of(
        encode(network, sequences), all_vectors(network), k, seen=seen, shown=shown, users_at_once=users_at_once
    )


def best_of(
    sought: Tensor,
    items: Tensor,
    k: int,
    *,
    seen: Sequences | None = None,
    shown: NDArray[np.bool_] | None = None,
    users_at_once: int = SCORED_USERS,
) -> tuple[Ints, Floats]:
    """The same from [U, d] what users seek and [N, d] vectors of items."""
    hidden = None if shown is None else np.flatnonzero(~shown)
    places, scores = [], []
    with torch.inference_mode():
        for _, values, maxima in _scored(sought, items, seen, users_at_once, hidden):
            best, place = top_k(values, min(k, len(items)), maxima)
            places.append(torch.where(torch.isinf(best), -1, place).cpu().numpy())
            scores.append(best.cpu().numpy())
    if not places:
        return np.zeros((0, k), np.int64), np.zeros((0, k), np.float32)
    return np.concatenate(places), np.concatenate(scores)


def _scored(
    sought: Tensor, items: Tensor, seen: Sequences | None, at_once: int, hidden: Ints | None = None
) -> Iterator[tuple[Ints, Tensor, Tensor]]:
    """Users, their [b, N] scores, -inf where seen or hidden, and the maxima of blocks, a chunk of users at a time.

    N is filled up with -inf to whole blocks. The scores of a chunk are gone with the next: one buffer holds them all,
    since fresh memory costs as much as the product. A strip of items is looked through while it is in the cache.
    The last chunk is filled up: a product of few rows would give other bits.
    """
    count = len(items)
    width = -(-count // BLOCK) * BLOCK
    strips = [(low, min(low + STRIP, width)) for low in range(0, width, STRIP)]
    padded = functional.pad(items, (0, 0, 0, width - count))
    columns = [padded[low:high].T.contiguous() for low, high in strips]  # [d, strip]
    never = np.concatenate([np.zeros(0, np.int64) if hidden is None else hidden, np.arange(count, width)])
    gone = [torch.from_numpy(part).to(sought.device) for part in _by_strip(never, never // STRIP, len(strips))]
    buffer, maxima = sought.new_empty(at_once, width), sought.new_empty(at_once, width // BLOCK)
    filled = functional.pad(sought, (0, 0, 0, -len(sought) % at_once))
    for first in range(0, len(sought), at_once):
        users = np.arange(first, min(first + at_once, len(sought)))
        had = _cells(seen, users, width, len(strips)) if seen is not None else None
        with torch.inference_mode():
            for at, (low, high) in enumerate(strips):
                strip = buffer[:, low:high]
                torch.mm(filled[first : first + at_once], columns[at], out=strip)
                if len(gone[at]):
                    buffer.index_fill_(1, gone[at], -torch.inf)
                if had is not None:
                    buffer.view(-1).index_fill_(0, torch.from_numpy(had[at]).to(buffer.device), -torch.inf)
                torch.amax(strip.view(at_once, -1, BLOCK), dim=2, out=maxima[:, low // BLOCK : high // BLOCK])
        yield users, buffer[: len(users)], maxima[: len(users)]


def _cells(seen: Sequences, users: Ints, width: int, strips: int) -> list[Ints]:
    """What these users, who follow each other, have seen, by strip: cells of the [b, width] scores laid flat."""
    items = seen.items[seen.starts[users[0]] : seen.starts[users[-1] + 1]]
    cells = np.repeat((users - users[0]) * width, seen.lengths[users]) + items
    return _by_strip(cells, items // STRIP, strips)


def _by_strip(values: Ints, strip: Ints, strips: int) -> list[Ints]:
    """The values of each strip."""
    small = strip.astype(np.uint16)  # sorted by counting
    return np.split(values[np.argsort(small, kind="stable")], np.cumsum(np.bincount(small, minlength=strips))[:-1])


def ranks_of(network: Network, sequences: Sequences, targets: Ints) -> Ints:
    """[U] how many unseen items score above the target (0: first); equal scores count as above."""
    items, sought = all_vectors(network), encode(network, sequences)
    found = []
    for users, values, _ in _scored(sought, items, None, SCORED_USERS):
        wanted = torch.from_numpy(targets[users]).to(values.device)[:, None]
        own = values.gather(1, wanted)
        part = sequences.of(users)
        row = np.repeat(np.arange(len(users)), part.lengths)
        values[torch.from_numpy(row).to(values.device), torch.from_numpy(part.items).to(values.device)] = -torch.inf
        values.scatter_(1, wanted, -torch.inf)
        found.append((values >= own).sum(dim=1).cpu().numpy())
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def ndcg_of_next(network: Network, sequences: Sequences, targets: Ints, k: int = 10) -> float:
    """Mean of 1 / log2(2 + rank) of the next item among the unseen, 0 from rank k on."""
    ranks = ranks_of(network, sequences, targets)
    return float(np.where(ranks < k, 1.0 / np.log2(ranks + 2.0), 0.0).mean())
