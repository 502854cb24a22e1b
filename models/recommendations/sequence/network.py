"""The network: gated pre-norm transformer blocks over packed tokens, with tied item vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from models.recommendations.sequence.packing import Packed


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; what a stored model must be told to be read again."""

    items: int
    dim: int = 128
    blocks: int = 2
    heads: int = 2
    hidden: int = 256
    """Units within a block's feed-forward part."""
    length: int = 200
    """Events of a customer that are looked at, the last."""
    words: int = 0
    """Buckets of hashed content words; 0: items have no content."""

    def __post_init__(self) -> None:
        if min(self.items, self.dim, self.blocks, self.heads, self.hidden, self.length) < 1 or self.words < 0:
            raise ValueError(f"found {self}, expected sizes of at least 1")
        if self.dim % self.heads:
            raise ValueError(f"dim is {self.dim} and heads {self.heads}, expected a multiple")


@dataclass(frozen=True)
class Batch:
    """A packed batch on its device."""

    positions: Tensor  # [T]
    pad: Tensor  # [P]
    unpad: Tensor  # [T]
    groups: list[tuple[int, int]]


def to_batch(packed: Packed, device: torch.device) -> Batch:
    """What the blocks need of a packed batch."""
    positions, pad, unpad = (torch.from_numpy(part).to(device) for part in (packed.positions, packed.pad, packed.unpad))
    return Batch(positions, pad, unpad, packed.groups)


class Block(nn.Module):
    """x + sigmoid(gate) * attention(norm x), then the same with a SwiGLU in place of attention.

    Gated residuals as in LiGR (Borisyuk et al. 2025), here from the normalised input; SwiGLU of Shazeer (2020).
    """

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads, self.hidden, self.dropout = shape.heads, shape.hidden, dropout
        self.before_attention, self.before_mix = nn.LayerNorm(shape.dim), nn.LayerNorm(shape.dim)
        self.attend, self.attended = nn.Linear(shape.dim, 4 * shape.dim), nn.Linear(shape.dim, shape.dim)
        self.mix = nn.Linear(shape.dim, 2 * shape.hidden + shape.dim)
        self.mixed = nn.Linear(shape.hidden, shape.dim)

    def forward(self, x: Tensor, batch: Batch) -> Tensor:  # [T, d]
        """[T, d] -> [T, d]; a token sees itself and those before it in its piece."""
        dim = x.shape[1]
        parts = self.attend(self.before_attention(x))
        found = _attention(parts[:, : 3 * dim].index_select(0, batch.pad), batch.groups, self.heads)
        found = self.attended(found.index_select(0, batch.unpad))
        x = x + torch.sigmoid(parts[:, 3 * dim :]) * self._drop(found)
        inner, switch, gate = self.mix(self.before_mix(x)).split([self.hidden, self.hidden, dim], dim=1)
        found = self.mixed(self._drop(functional.silu(switch) * inner))
        return x + torch.sigmoid(gate) * self._drop(found)

    def _drop(self, x: Tensor) -> Tensor:
        return dropped(x, self.dropout) if self.training and self.dropout else x


def dropped(x: Tensor, share: float) -> Tensor:
    """Dropout; on a CPU of 256ths, eight values to a random number, since drawing them one by one is slow there."""
    if x.device.type != "cpu":
        return functional.dropout(x, share)
    gone = max(1, round(share * 256))
    drawn = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None).view(torch.uint8)
    kept = (drawn[: x.numel()].view(x.shape) >= gone).to(x.dtype)
    return x * kept.mul_(256.0 / (256 - gone))


def _attention(cells: Tensor, groups: list[tuple[int, int]], heads: int) -> Tensor:
    """[P, 3 d] queries, keys and values -> [P, d], causal within each row of each group."""
    found, at = [], 0
    for rows, width in groups:
        slab = cells[at : at + rows * width].view(rows, width, 3, heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(slab[0], slab[1], slab[2], is_causal=True)
        found.append(seen.transpose(1, 2).reshape(rows * width, -1))
        at += rows * width
    return torch.cat(found)


class Network(nn.Module):
    """SASRec (Kang and McAuley 2018) with gated blocks: items so far -> a vector whose product ranks the next."""

    item: nn.Parameter  # [N, d]
    content: Tensor  # [N, M] word buckets of each item, 0: none

    def __init__(self, shape: Shape, content: Tensor | None = None, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.item = nn.Parameter(torch.randn(shape.items, shape.dim) * 0.02)
        self.place = nn.Parameter(torch.randn(shape.length, shape.dim) * 0.05)
        self.word = nn.Parameter(torch.zeros(shape.words + 1, shape.dim)) if shape.words else None
        self.register_buffer("content", torch.zeros(shape.items, 0, dtype=torch.int64) if content is None else content)
        self.blocks = nn.ModuleList(Block(shape, dropout) for _ in range(shape.blocks))
        self.last = nn.LayerNorm(shape.dim)
        self.recompute = False
        """Whether blocks are computed again in the backward pass instead of being kept (memory for time)."""

    def vectors(self, items: Tensor, unknown: float = 0.0) -> Tensor:
        """[n] items -> [n, d] their own vector plus the mean of their words'; `unknown`: share without their own."""
        own = self.item.index_select(0, items)
        if self.word is None:
            return own
        if unknown and self.training:
            own = own * (torch.rand(len(items), 1, device=own.device) >= unknown)
        words = self.content.index_select(0, items)  # [n, M]
        has = (words > 0).to(own.dtype)
        share = has / has.sum(dim=1, keepdim=True).clamp(min=1.0)
        told = functional.embedding_bag(words, self.word, per_sample_weights=share, mode="sum")
        return own + told

    def forward(self, vectors: Tensor, batch: Batch) -> Tensor:
        """[T, d] vectors of the packed items -> [T, d] what is sought after each of them."""
        x = vectors * math.sqrt(self.shape.dim) + self.place.index_select(0, batch.positions)
        x = dropped(x, self.dropout) if self.training and self.dropout else x
        for block in self.blocks:
            x = (
                checkpoint(block, x, batch, use_reentrant=False)
                if self.recompute and self.training
                else block(x, batch)
            )
        found: Tensor = self.last(x)
        return found
