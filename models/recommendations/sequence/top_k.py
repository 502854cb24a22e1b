"""Exact top-k over the full catalogue, a chunk of customers at a time."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 64
"""Items whose greatest score stands for them; catalogues of a multiple of it are not copied."""


def top_k(scores: Tensor, k: int, maxima: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """[b, N] scores -> [b, k] the greatest and their items, the best first; equal scores by item, the first before.

    The k + 1 greatest lie in the k + 1 blocks with the greatest maxima: only those are looked into. Where the last
    two of them are equal, other items may have that score too: all are looked at. maxima [b, N / BLOCK]: of the
    blocks, where they are known.
    """
    count = scores.shape[1]
    k = min(k, count)
    value, item = _greatest(scores, min(k + 1, count), maxima)
    open_rows = (value[:, k - 1] == value[:, k]).nonzero()[:, 0] if k < count else value.new_zeros(0, dtype=torch.int64)
    value, item = value[:, :k], item[:, :k]
    if len(open_rows):
        item[open_rows] = _first_of_equal(scores[open_rows], value[open_rows], item[open_rows])
    if k > 1 and bool((value[:, 1:] == value[:, :-1]).any()):
        item, order = item.sort(dim=1)
        value, again = value.gather(1, order).sort(dim=1, descending=True, stable=True)
        item = item.gather(1, again)
    return value, item


def _greatest(scores: Tensor, k: int, maxima: Tensor | None) -> tuple[Tensor, Tensor]:
    """[b, k] the greatest, sorted, and their items; which of equal ones is open."""
    rows, count = scores.shape
    blocks = -(-count // BLOCK)
    if blocks <= 2 * k:
        return torch.topk(scores, k, dim=1)
    if count % BLOCK:
        scores = functional.pad(scores, (0, blocks * BLOCK - count), value=-torch.inf)
    cells = scores.reshape(rows * blocks, BLOCK)
    maxima = cells.amax(dim=1).view(rows, blocks) if maxima is None else maxima
    most, best = torch.topk(maxima, k, dim=1)  # [b, k]
    first = torch.arange(rows, device=scores.device)[:, None] * blocks
    inside = cells.index_select(0, (best + first).flatten()).view(rows, k * BLOCK)
    value, at = _above(inside, most[:, -1:], k)
    return value, best.gather(1, at // BLOCK) * BLOCK + at % BLOCK


def _above(inside: Tensor, least: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """[b, k] the greatest and their places, among those of at least `least`, which k are; often hardly more."""
    rows, width = inside.shape
    found = (inside >= least).flatten().nonzero()[:, 0]
    row = found // width
    counts = torch.bincount(row, minlength=rows)
    first = counts.cumsum(0) - counts
    few = inside.new_full((rows, int(counts.max())), -torch.inf)
    few[row, torch.arange(len(found), device=inside.device) - first[row]] = inside.flatten()[found]
    value, at = torch.topk(few, k, dim=1)
    return value, found[first[:, None] + at] % width


def _first_of_equal(scores: Tensor, value: Tensor, item: Tensor) -> Tensor:
    """[r, k] items where those of the last value are the first items that have it."""
    count, k = scores.shape[1], value.shape[1]
    last = value[:, -1:]
    back = torch.arange(count, 0, -1, device=scores.device)
    equal = count - torch.where(scores == last, back, 0).topk(k, dim=1).values  # [r, k] the first, in order
    above = (value > last).sum(dim=1, keepdim=True)
    place = torch.arange(k, device=scores.device) - above
    return torch.where(place < 0, item, equal.gather(1, place.clamp(min=0)))
