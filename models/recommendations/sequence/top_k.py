"""Exact top-k over the full catalogue, a chunk of customers at a time."""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 64
"""Items whose greatest score stands for them."""


def top_k(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """[b, N] scores -> [b, k] the greatest and their items, the best first; equal scores by item.

    The k greatest lie in the k blocks with the greatest maxima: only those are looked into.
    Where equal scores meet at the k-th place, which of them is in may differ between machines.
    """
    count = scores.shape[1]
    k = min(k, count)
    whole = count // BLOCK
    if whole <= 2 * k:
        return _ordered(*torch.topk(scores, k, dim=1))
    body = scores[:, : whole * BLOCK].view(len(scores), whole, BLOCK)
    best = torch.topk(body.amax(dim=2), k, dim=1, sorted=False).indices  # [b, k]
    inside = body.gather(1, best[:, :, None].expand(-1, -1, BLOCK)).flatten(1)
    items = (best[:, :, None] * BLOCK + torch.arange(BLOCK, device=scores.device)).flatten(1)
    rest = torch.arange(whole * BLOCK, count, device=scores.device).expand(len(scores), -1)
    inside, items = torch.cat([inside, scores[:, whole * BLOCK :]], dim=1), torch.cat([items, rest], dim=1)
    value, at = torch.topk(inside, k, dim=1)
    return _ordered(value, items.gather(1, at))


def _ordered(value: Tensor, item: Tensor) -> tuple[Tensor, Tensor]:
    item, order = item.sort(dim=1)
    value, again = value.gather(1, order).sort(dim=1, descending=True, stable=True)
    return value, item.gather(1, again)
