"""Training by several processes: each takes its share of a step, and all of them take the same step.

The process group is the caller's: gloo on CPUs, nccl on GPUs. Without one there is one process.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed

from models.recommendations.sequence.network import Network
from models.recommendations.sequence.packing import Ints


def processes() -> tuple[int, int]:
    """The number of this process (from 0), and how many there are."""
    if not distributed.is_available() or not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def share_of(pieces: Ints, lengths: Ints) -> Ints:
    """Those of a step's pieces that are this process's: dealt out by length, so that all have about as many tokens."""
    rank, count = processes()
    return pieces if count == 1 else pieces[lengths[pieces].argsort(kind="stable")][rank::count]


def sum_gradients(network: Network, loss: Tensor) -> Tensor:
    """Put the sum over all processes into every gradient, in one message; gives the sum of the losses."""
    if processes()[1] == 1:
        return loss
    weights = list(network.parameters())
    parts = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
    flat = torch.cat([*(part.flatten() for part in parts), loss.reshape(1)])
    distributed.all_reduce(flat)
    *summed, total = torch.split(flat, [*(weight.numel() for weight in weights), 1])
    for weight, found in zip(weights, summed, strict=True):
        weight.grad = found.view_as(weight)
    return total


def agreed(value: float, device: torch.device) -> float:
    """The first process's value, in all of them."""
    if processes()[1] == 1:
        return value
    told = torch.tensor([value], dtype=torch.float64, device=device)
    distributed.broadcast(told, src=0)
    return float(told)
