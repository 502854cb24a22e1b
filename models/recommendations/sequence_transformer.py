"""What a customer will buy next, from the order in which purchases were made: a causal transformer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from models.dates import to_days
from models.files import corrupt, read_checked, read_settings, take, write_model
from models.protocol import Features
from models.recommendations.content import word_buckets
from models.recommendations.lists import PersonalLists
from models.recommendations.popular import BOUGHT, PRODUCTS
from models.recommendations.sequence.budget import epochs_within, tokens_of
from models.recommendations.sequence.growth import grown
from models.recommendations.sequence.network import Network, Shape
from models.recommendations.sequence.night import Night
from models.recommendations.sequence.packing import Ints, Sequences, from_events
from models.recommendations.sequence.reasons import explaining
from models.recommendations.sequence.recipe import Recipe
from models.recommendations.sequence.runtime import machine, on_device
from models.recommendations.sequence.scoring import is_same_for_a_user, score_top_k
from models.recommendations.sequence.training import OnEpoch, fit_sequences

PURCHASES = "purchases"
"""as_of, customer_id, product_id, bought_at: one row a purchase before as_of. Where this frame is missing, each product
that `customer_products` holds counts once, on the day it was first bought."""
REASON, LIKE_RECENT = "next_in_sequence", "like_recent"
"""The second where one product of the customer's own explains the row."""
AT = "bought_at"
FIRST_BOUGHT = {"first_bought_on": AT}
FEWEST_EVENTS = 20
"""Purchases under which nothing is learnt."""
_WEIGHTS, _PRODUCTS = "weights.safetensors", "products.json"


class SequenceTransformer(PersonalLists):
    """SASRec (Kang and McAuley 2018) with gated blocks, many shared negatives and averaged weights.

    After gSASRec (Petrov and Macdonald 2023) and eSASRec (Tikhonovich et al. 2025). Learns from the purchases of the
    latest cut-off; the last purchase of drawn customers is held out and says when to stop. sizes, recipe: what differs
    from `Shape` and `Recipe`. It never sees when the event happens that it predicts, nor any time but the order.
    Products that it was not trained on are scored by their content (sizes: words above 0), or not at all.
    minutes: of one core (or of the GPU) that a fit may take, as reckoned from the number of purchases before it begins.
    explained: rows of a customer, the first, that a reason is sought for (each costs up to one more encoding).
    """

    name: ClassVar[str] = "sequence_transformer"
    choices: ClassVar[dict[str, tuple[float, ...]]] = {"popularity": (0.0,)}

    def __init__(
        self,
        *,
        top_k: int = 20,
        exclude_bought: bool = True,
        seed: int = 7,
        threads: int = 1,
        device: str = "cpu",
        sizes: Mapping[str, int] | None = None,
        recipe: Mapping[str, Any] | None = None,
        minutes: float | None = None,
        explained: int = 3,
    ) -> None:
        super().__init__(top_k=top_k, exclude_bought=exclude_bought, seed=seed)
        self.explained = explained
        self.minutes = minutes
        self.shape = Shape(items=1, **(sizes or {}))
        self.recipe = Recipe(**{**(recipe or {}), "seed": seed, "threads": threads, "device": device})
        self.network: Network | None = None
        self.products = pd.Index([], dtype="str")
        self.older: Self | None = None
        self.checkpoint: Path | None = None
        self.on_epoch: OnEpoch | None = None
        self.curve: list[dict[str, float]] = []

    def warm_start(self, older: Self) -> Self:
        """Begin the next fit with the weights of an older model of the same sizes; new products are added."""
        if replace(older.shape, items=1) != replace(self.shape, items=1):
            raise ValueError(f"cannot start from a model of other sizes: found {older.shape}, expected {self.shape}")
        self.older = older
        return self

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from the purchases of the latest cut-off.

        Raises ValueError where no target is known, fewer than 20 purchases are, or `minutes` are too few.
        """
        events = _purchases(features)
        if targets.empty or len(events) < FEWEST_EVENTS:
            raise ValueError(f"too little data to train {self.name}: {len(events)} purchases, {len(targets)} targets")
        latest = to_days(events["as_of"]).max()
        events = events[to_days(events["as_of"]) == latest]
        catalogue = features[PRODUCTS][to_days(features[PRODUCTS]["as_of"]) == latest]
        self.products = pd.Index(sorted({*catalogue["product_id"], *events["product_id"]}), dtype="str")
        self.shape = replace(self.shape, items=len(self.products))
        content = self._content(catalogue, self.products)
        older = self.older and self.older.network
        start = grown(older, self.older.products, self.products, content).state_dict() if self.older and older else None
        sequences = _sequences(events, pd.Index(events["customer_id"].unique()), self.products)
        epochs = epochs_within(self.minutes, tokens_of(sequences), self.shape, self.recipe, self.name)
        self.network, self.curve = fit_sequences(
            sequences,
            self.shape,
            replace(self.recipe, epochs=epochs),
            content=content,
            start=start,
            checkpoint=self.checkpoint,
            on_epoch=self.on_epoch,
        )
        return self

    def candidates(self, features: Features) -> pd.DataFrame:
        """The best top_k of each customer with purchases, among the products on sale that the model can tell.

        score is exp(logit); it is lower without the purchases of reason_product_id.
        """
        night = self._night(features)
        customers, products, asked = night.customers, night.products, night.asked
        with on_device(self.recipe.device, self.recipe.threads) as device:
            network = night.network.to(device)
            what, logits = score_top_k(network, asked, self.top_k, seen=night.seen, shown=night.shown)
            who, place = np.nonzero((what >= 0) & (asked.lengths > 0)[:, None])
            item, logit = what[who, place], logits[who, place]
            why = np.full(len(who), -1, np.int64)
            first = place < self.explained
            why[first] = explaining(network, asked, who[first], item[first], logit[first])
        names, is_told = pd.Series(products), why >= 0
        return pd.DataFrame(
            {
                "customer_id": pd.Series(customers).take(who).reset_index(drop=True),
                "product_id": names.take(item).reset_index(drop=True),
                "score": np.exp(logit.astype(np.float64)),
                "reason": np.where(is_told, LIKE_RECENT, REASON),
                "reason_product_id": names.reindex(np.where(is_told, why, -1)).reset_index(drop=True),
            }
        )

    def fingerprints(self, features: Features) -> pd.Series | None:
        """By customer: the own purchases, what is on sale, the settings and the machine; nothing else is looked at.

        None where a customer's bits may change with who is scored as well: on a GPU, and with heads of odd widths.
        """
        if not is_same_for_a_user(self.shape, self.recipe.device):
            return None
        night = self._night(features)
        asked_for = (machine(), self.top_k, self.exclude_bought, self.explained, night.products.tolist())
        return night.fingerprints(json.dumps(asked_for).encode())

    def _night(self, features: Features) -> Night:
        if self.network is None:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        customers = pd.Index(features[BOUGHT]["customer_id"].unique()).sort_values()
        network, products = self._for(features[PRODUCTS])
        on_sale = features[PRODUCTS].loc[features[PRODUCTS]["is_active"].astype(bool), "product_id"]
        return Night(
            network,
            customers,
            products,
            _sequences(_purchases(features), customers, products),
            _sequences(features[BOUGHT], customers, products) if self.exclude_bought else None,
            np.asarray(products.isin(on_sale), dtype=np.bool_),
        )

    def _content(self, catalogue: pd.DataFrame, products: pd.Index) -> Ints | None:
        return word_buckets(catalogue, products, self.shape.words) if self.shape.words else None

    def _for(self, catalogue: pd.DataFrame) -> tuple[Network, pd.Index]:
        """The network over the products that it can tell: its own, and with content those of the catalogue too."""
        assert self.network is not None
        extra = catalogue.loc[~catalogue["product_id"].isin(self.products), "product_id"]
        if extra.empty or not self.shape.words:
            return self.network, self.products
        products = self.products.append(pd.Index(extra.unique(), dtype="str").sort_values())
        content = self.network.content.cpu().numpy()
        both = np.concatenate([content, word_buckets(catalogue, products[len(content) :], self.shape.words)])
        return grown(self.network.cpu(), self.products, products, both), products

    def save(self, folder: Path) -> None:
        """Write `settings.json` (with digests), `products.json` and `weights.safetensors`."""
        if self.network is None:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        settings = {
            "model": self.name,
            "top_k": self.top_k,
            "exclude_bought": self.exclude_bought,
            "minutes": self.minutes,
            "explained": self.explained,
            "shape": asdict(self.shape),
            "recipe": asdict(self.recipe),
        }
        weights = {name: value.cpu().contiguous() for name, value in self.network.state_dict().items()}
        names = json.dumps(self.products.tolist(), ensure_ascii=False).encode()
        write_model(folder, settings, {_WEIGHTS: save_tensors(weights), _PRODUCTS: names})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        top_k, exclude = take(settings, "top_k", int, folder), take(settings, "exclude_bought", bool, folder)
        minutes = None if settings.get("minutes") is None else take(settings, "minutes", float, folder)
        try:
            model = cls(top_k=top_k, exclude_bought=exclude, minutes=minutes)
            model.explained = take(settings, "explained", int, folder)
            model.shape = Shape(**take(settings, "shape", dict, folder))
            model.recipe = Recipe(**take(settings, "recipe", dict, folder))
        except TypeError as error:
            raise corrupt(folder, cls.name, str(error)) from error
        model.seed = model.recipe.seed
        model.products = pd.Index(json.loads(read_checked(folder, settings, _PRODUCTS)), dtype="str")
        try:
            weights = load_tensors(read_checked(folder, settings, _WEIGHTS))
            with torch.random.fork_rng(devices=[]):
                model.network = Network(model.shape, weights["content"], model.recipe.dropout)
            model.network.load_state_dict(weights)
        except (KeyError, RuntimeError, SafetensorError) as error:
            raise corrupt(folder / _WEIGHTS, cls.name, str(error)) from error
        model.network.eval()
        return model


def _purchases(features: Features) -> pd.DataFrame:
    return features[PURCHASES] if PURCHASES in features else features[BOUGHT].rename(columns=FIRST_BOUGHT)


def _sequences(events: pd.DataFrame, customers: pd.Index, products: pd.Index) -> Sequences:
    """The products of each customer in the order of bought_at; those of one moment in an order that says nothing."""
    mixed = pd.util.hash_array(events["product_id"].to_numpy(object), categorize=False)
    events = events.assign(mixed=mixed).sort_values([AT, "mixed"] if AT in events else ["mixed"], kind="stable")
    who = np.asarray(customers.get_indexer(pd.Index(events["customer_id"])), dtype=np.int64)
    what = np.asarray(products.get_indexer(pd.Index(events["product_id"])), dtype=np.int64)
    kept = (who >= 0) & (what >= 0)
    at = np.asarray(pd.to_datetime(events[AT]), "datetime64[ns]").astype(np.int64)[kept] if AT in events else None
    return from_events(who[kept], what[kept], len(customers), at)
