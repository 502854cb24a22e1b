"""Softmax over one positive and the negatives that all tokens of a batch share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.recommendations.sequence.packing import Ints


class Negatives:
    """Draws `count` items a step, each in proportion to its events ** power; all of them where there are no more.

    With power 0 none is drawn twice in a step. The correction that makes the sum over the drawn an unbiased
    estimate of the sum over the catalogue is -log(expected draws) (Bengio and Senecal 2008, "logQ").
    """

    def __init__(self, events: Ints, count: int, power: float = 0.0) -> None:
        if count < 1 or power < 0:
            raise ValueError(f"negatives are {count} and power {power}, expected at least 1 and 0")
        self.items, self.count, self.power = len(events), min(count, len(events)), power
        self.cumulated: NDArray[np.float64] = np.cumsum(np.maximum(events, 1).astype(np.float64) ** power)

    def draw(self, random: np.random.Generator) -> tuple[Ints, NDArray[np.float32]]:
        """[K] items and [K] what is added to their logits."""
        if self.count == self.items:
            return np.arange(self.items), np.zeros(self.items, np.float32)
        if self.power == 0:
            drawn = random.choice(self.items, self.count, replace=False, shuffle=False).astype(np.int64)
            return np.sort(drawn), np.full(self.count, np.log(self.items / self.count), np.float32)
        drawn = np.sort(np.searchsorted(self.cumulated, random.random(self.count) * self.cumulated[-1], side="right"))
        weight = np.diff(self.cumulated, prepend=0.0)[drawn] / self.cumulated[-1]
        return drawn, -np.log(self.count * weight).astype(np.float32)


class _SharedSoftmax(torch.autograd.Function):
    """Mean cross entropy with its gradient in three products, the probabilities written over the logits."""

    @staticmethod
    def forward(ctx: Any, sought: Tensor, positive: Tensor, negative: Tensor, shift: Tensor, same: Tensor) -> Tensor:
        """sought, positive [T, d]; negative [K, d]; shift [K]; same [2, S] cells where a negative is the positive."""
        right = (sought * positive).sum(dim=1)
        logits = torch.addmm(shift, sought, negative.T)  # [T, K]
        logits[same[0], same[1]] = -torch.inf
        most = torch.maximum(logits.amax(dim=1), right)
        logits.sub_(most[:, None]).exp_()
        share = torch.exp(right - most)
        total = logits.sum(dim=1) + share
        logits.div_(total[:, None])
        ctx.save_for_backward(sought, positive, negative, logits, share / total)
        return (torch.log(total) + most - right).mean()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        sought, positive, negative, shares, share = ctx.saved_tensors
        scale = grads[0] / len(sought)
        pull = ((share - 1.0) * scale)[:, None]
        to_sought = torch.addcmul((shares @ negative).mul_(scale), pull, positive)
        return to_sought, pull * sought, (shares.T @ sought).mul_(scale), None, None


def shared_softmax(sought: Tensor, positive: Tensor, negative: Tensor, shift: Tensor, same: Tensor) -> Tensor:
    """Mean over tokens of -log(e^s+ / (e^s+ + sum over negatives of e^(s- + shift))), in float32.

    sought, positive [T, d]; negative [K, d]; shift [K]; same [2, S]: (token, negative) pairs that are one item.
    """
    with torch.autocast(sought.device.type, enabled=False):
        found: Tensor = _SharedSoftmax.apply(  # type: ignore[no-untyped-call]
            sought.float(), positive.float(), negative.float(), shift, same
        )
    return found
