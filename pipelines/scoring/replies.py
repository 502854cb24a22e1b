"""Suggested replies: the best resolved one, about the customer's own order, checked before anybody sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from models.protocol import Features
from models.support.checker import Checker
from models.support.claims import NEVER
from models.support.facts import Facts, Titles, facts_of, meant_in
from models.support.languages import language_of
from models.support.reply_search import ReplySearch
from models.support.slots import NoFact, Part, Slot, filled, slotted
from pipelines.scoring.outputs import Counts

RANKED, TRIED = 60, 12
"""Resolved tickets looked at for an open one, and answers of them that are filled and checked."""
HOPELESS = ("form", "contact", "slot", "instruction", "name", *(f"promise: {name}" for name in NEVER))
"""Faults that lie in an answer's words, whatever the order is."""


class Ask(NamedTuple):
    """An open ticket for which a reply is looked for. template: the most fitting answer with its slots named."""

    ticket_id: str
    text: str
    intent: str
    facts: Facts
    source: str | None
    template: str


class Reply(NamedTuple):
    """What is suggested; without text, why nothing is."""

    text: str | None
    source: str | None
    why: str = ""


Draft = Callable[[Sequence[Ask], Checker], tuple[dict[str, str], Counts]]
"""Texts by ticket_id that passed the checker, and what is counted of it."""


@dataclass
class Replies:
    """The answers of resolved tickets, as pieces and slots."""

    rows: list[dict[Hashable, Any]]
    facts: dict[str, Facts]
    checker: Checker
    as_of: date
    templates: dict[int, tuple[Part, ...]] = field(default_factory=dict)
    hopeless: set[tuple[Part, ...]] = field(default_factory=set)

    def template(self, at: int) -> tuple[Part, ...]:
        """The answer at a place, with slots where facts stood."""
        if at not in self.templates:
            row = self.rows[at]
            own = self.facts.get(row["ticket_id"]) or Facts(self.as_of, _text(row["order_id"]))
            self.templates[at] = tuple(slotted(row["reply"], own, self.checker.catalogue))
        return self.templates[at]

    def first(self, ranks: Sequence[int], facts: Facts, asked: str) -> Reply:
        """The first of the ranked answers that this ticket has the facts for and that passes the checker."""
        seen: set[tuple[Part, ...]] = set()
        why = "" if ranks else "nothing_alike"
        for at in ranks:
            parts = self.template(at)
            if parts in seen or parts in self.hopeless or len(seen) == TRIED:
                why = why or "promise"
                continue
            seen.add(parts)
            try:
                text = filled(parts, facts)
            except NoFact:
                why = why or "no_fact"
                continue
            faults = self.checker.faults(text, facts, asked)
            if not faults:
                return Reply(text, str(self.rows[at]["ticket_id"]))
            why = why or faults[0].partition(":")[0]
            if any(fault.startswith(HOPELESS) for fault in faults):
                self.hopeless.add(parts)
        return Reply(None, None, why)


def suggest(
    triage: pd.DataFrame, features: Features, facts: Features, as_of: date, draft: Draft | None = None
) -> tuple[pd.DataFrame, Counts]:
    """ticket_id, suggested_reply, reply_source_ticket_id for each ticket of triage; and what was withheld for what.

    facts: frames replies, ticket_facts and products, as of tonight. draft: asked first where there is one; what it does
    not give, or gives wrong, falls back to the retrieved reply.
    """
    known = facts_of(facts["ticket_facts"], as_of)
    titles = facts["products"]["title"].dropna()
    rows = facts["replies"].dropna(subset=["intent"]).sort_values("ticket_id", ignore_index=True)
    replies = Replies(rows.to_dict("records"), known, Checker(Titles.of(titles.astype(str))), as_of)
    tickets = triage[["ticket_id", "intent"]].merge(features["tickets"][["ticket_id", "text"]], on="ticket_id")
    texts = [_text(text) or "" for text in tickets["text"]]
    search = ReplySearch().fit(list(rows["text"]), list(rows["intent"]), list(rows["reply"]))
    ranked = search.ranked(texts, list(tickets["intent"]), RANKED)
    own = [
        meant_in(known.get(key) or Facts(as_of), text) for key, text in zip(tickets["ticket_id"], texts, strict=True)
    ]
    found = [replies.first(*each) for each in zip(ranked, own, texts, strict=True)]
    counts = Counter(f"replies_withheld_{reply.why}" for reply in found if reply.text is None)
    if draft:
        asks = [
            Ask(key, text, intent, fact, _source(replies, ranks), _named(replies, ranks))
            for key, text, intent, fact, ranks in zip(
                tickets["ticket_id"], texts, tickets["intent"], own, ranked, strict=True
            )
        ]
        drafts, drafted = draft([ask for ask in asks if ask.source], replies.checker)
        counts.update(drafted)
        found = [
            Reply(drafts[ask.ticket_id], ask.source) if ask.ticket_id in drafts else reply
            for ask, reply in zip(asks, found, strict=True)
        ]
    frame = pd.DataFrame(
        {
            "ticket_id": tickets["ticket_id"],
            "suggested_reply": pd.Series([reply.text for reply in found], dtype="str"),
            "reply_source_ticket_id": pd.Series([reply.source for reply in found], dtype="str"),
        }
    )
    return frame, dict(sorted(counts.items())) | {"replies_suggested": sum(reply.text is not None for reply in found)}


def _source(replies: Replies, ranks: Sequence[int]) -> str | None:
    return str(replies.rows[ranks[0]]["ticket_id"]) if ranks else None


def _named(replies: Replies, ranks: Sequence[int]) -> str:
    """The answer with the names of its slots instead of another customer's facts."""
    parts = replies.template(ranks[0]) if ranks else ()
    return "".join(f"[{part.kind}]" if isinstance(part, Slot) else part for part in parts)


def languages_differ(reply: str, asked: str) -> bool:
    """Whether a reply is written in another language than the ticket."""
    return language_of(reply) != language_of(asked)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
