"""A network for another catalogue: what it knows of an item moves with the item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from models.recommendations.sequence.network import Network
from models.recommendations.sequence.packing import Ints


def grown(network: Network, old: pd.Index, new: pd.Index, content: Ints | None) -> Network:
    """The same network over the items `new`, in this order.

    An item that it does not know is told by its content alone; without content it starts as the mean of all items.
    """
    if (content is not None) != bool(network.shape.words):
        raise ValueError("found content on one side alone, expected the network and the catalogue both with or without")
    shape = replace(network.shape, items=len(new))
    with torch.random.fork_rng(devices=[]):
        found = Network(shape, None if content is None else torch.from_numpy(content), network.dropout)
    weights = {name: value for name, value in network.state_dict().items() if name not in ("item", "content")}
    found.load_state_dict(weights, strict=False)
    place = np.asarray(old.get_indexer(new), dtype=np.int64)
    known = torch.from_numpy(place >= 0)
    with torch.no_grad():
        found.item[:] = 0.0 if network.shape.words else network.item.mean(dim=0)
        found.item[known] = network.item[torch.from_numpy(place[place >= 0])]
    return found.eval()
