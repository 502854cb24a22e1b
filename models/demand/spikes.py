"""Single orders far above a product's usual ones, often cancelled later: they count up to a cap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.demand.history import Block, Floats
from models.demand.parts import chunks


def spike_caps(block: Block) -> Floats:
    """[n, 1] what a period counts at most: twice the product's second largest.

    A product that sold in fewer than three periods: twice the store's 99% quantile. One wholesale order would
    otherwise set the level for half a year.
    """
    caps, is_rare = np.empty((len(block), 1), np.float32), np.zeros(len(block), np.bool_)
    sold: list[Floats] = [np.zeros(0, np.float32)]
    for rows in chunks(len(block)):
        units = block.units[rows]
        selling = units > 0
        is_rare[rows] = selling.sum(axis=1) < 3
        sold.append(units[selling])
        caps[rows, 0] = 2.0 * _second(units)
    usual = np.concatenate(sold)
    caps[is_rare] = 2.0 * np.quantile(usual, 0.99, overwrite_input=True) if len(usual) else np.inf
    return caps


def _second(units: Floats) -> Floats:
    """[n] the second largest of each row; overwrites the largest."""
    units[np.arange(len(units)), units.argmax(axis=1)] = -np.inf
    return np.asarray(units.max(axis=1))


def without_spikes(block: Block, caps: Floats) -> Block:
    """The block with the units of each period up to the product's cap, and the revenue by the same share."""
    kept = _share(block.units, caps)
    return replace(block, units=block.units * kept, revenue=block.revenue * kept)


def capped(units: Floats, caps: Floats) -> Floats:
    """[n, L] units up to the product's cap."""
    return units * _share(units, caps)


def _share(units: Floats, caps: Floats) -> Floats:
    """[n, L] the share of each period that counts."""
    return np.minimum(1.0, caps / np.maximum(units, 1e-9))
