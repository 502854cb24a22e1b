"""What visitors did on a day: sessions that ended in its orders, and as many that did not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo.draws import Flags, Ints, Times, hashes, integers, uniform, within_day
from demo.frames import Lines, Orders, Products, only_where, timestamps, words

KINDS = ("view", "search", "add_to_cart", "remove_from_cart", "impression", "click")
UNKNOWN, BROKEN = "hover", 0.0002  # a kind that no contract knows, and the share of rows that have it
VIEW, SEARCH, ADD, REMOVE, IMPRESSION, CLICK = range(len(KINDS))
SLOTS = 8  # products shown on the home page
SHOWN_SHARE = 0.35  # of the sessions
BROWSING = 1.5  # sessions without an order, for each one with an order


@dataclass(frozen=True)
class Part:
    """Some events of a day: who (a row of the visitors), which session, what, which product (-1: none), when."""

    visitor: Ints
    session: Ints
    kind: int
    product: Ints
    at: Times


def simulate_events(
    day: int, orders: Orders, lines: Lines, products: Products, lately: Ints, visitors: pa.Array, seed: int
) -> pa.Table:
    """The events of a day; `lately` are products of lines sold before it, `visitors` customers seen before it."""
    parts, first = _around_orders(orders, lines, seed), len(orders)
    if len(lately) and len(visitors):
        own, count = np.arange(first), int(BROWSING * first)
        parts += _shown(day, own, own, orders.ordered_at, lately, seed)
        who = integers(seed, "visitor", len(visitors), np.arange(count), day) + first
        parts += _browsing(day, count, first, lately, who, seed)
        parts += _shown(day, who, first + np.arange(count), _starts(day, np.arange(count), seed), lately, seed)
    people = pa.concat_arrays([orders.customer_id, visitors.cast(pa.string())])
    return _table(day, parts, people, products, seed)


def _around_orders(orders: Orders, lines: Lines, seed: int) -> list[Part]:
    """Views and baskets of what was bought then, and a search now and then."""
    number = orders.number[lines.order]
    place = np.arange(len(lines.order)) - np.searchsorted(lines.order, lines.order)
    before = 30 + integers(seed, "before", 2400, number, place)
    parts = []
    for kind, share, seconds in ((VIEW, 0.5, before), (ADD, 0.35, before - 20), (REMOVE, 0.015, before - 25)):
        rows = np.flatnonzero(uniform(seed, f"around {kind}", number, place) < share)
        order = lines.order[rows]
        at = within_day(orders.ordered_at[order], -seconds[rows])
        parts.append(Part(order, order, kind, lines.product[rows], at))
    rows = np.flatnonzero(uniform(seed, "search", orders.number) < 0.4)
    at = within_day(orders.ordered_at[rows], -integers(seed, "searched", 2400, orders.number[rows]))
    parts.append(Part(rows, rows, SEARCH, np.full(len(rows), -1), at))
    return parts


def _starts(day: int, sessions: Ints, seed: int) -> Times:
    opened = np.datetime64(day, "D").astype("datetime64[us]")
    return np.asarray(opened + (7 * 3600 + integers(seed, "start", 15 * 3600, sessions, day)).astype("timedelta64[s]"))


def _browsing(day: int, count: int, first: int, lately: Ints, who: Ints, seed: int) -> list[Part]:
    """Visits that end without an order; their sessions are numbered from `first`."""
    views = 1 + integers(seed, "views", 5, np.arange(count), day)
    session = np.repeat(np.arange(count), views)
    place = np.arange(len(session))
    product = lately[integers(seed, "seen", len(lately), place, day)]
    at = within_day(_starts(day, session, seed), integers(seed, "seconds", 1500, place, day))
    added = np.flatnonzero(uniform(seed, "added", place, day) < 0.07)
    view = Part(who[session], session + first, VIEW, product, at)
    return [view, Part(view.visitor[added], view.session[added], ADD, product[added], within_day(at[added], 15))]


def _shown(day: int, who: Ints, sessions: Ints, start: Times, lately: Ints, seed: int) -> list[Part]:
    """The home page of some sessions: what it showed, by popularity, and what was clicked: the upper slots more."""
    seen = np.flatnonzero(uniform(seed, "shown", sessions, day) < SHOWN_SHARE)
    row, slot = np.repeat(seen, SLOTS), np.tile(np.arange(SLOTS), len(seen))
    product = lately[integers(seed, "slot", len(lately), sessions[row], slot, day)]
    at = within_day(start[row], -2500 + integers(seed, "home", 60, sessions[row], day))
    appeal = 0.5 + uniform(seed, "appeal", product)
    clicked = np.flatnonzero(uniform(seed, "clicked", sessions[row], slot, day) < 0.09 * appeal / (1 + 0.35 * slot))
    later = within_day(at[clicked], 5 + 3 * slot[clicked])
    shown = Part(who[row], sessions[row], IMPRESSION, product, at)
    return [shown, Part(who[row][clicked], sessions[row][clicked], CLICK, product[clicked], later)]


def _table(day: int, parts: list[Part], people: pa.Array, products: Products, seed: int) -> pa.Table:
    """The parts in the order they happened."""
    kind = np.concatenate([np.full(len(part.at), part.kind) for part in parts])
    visitor, session, product, at = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("visitor", "session", "product", "at")
    )
    by_time = np.lexsort((product, kind, session, at))
    kind, visitor, session, product, at = (values[by_time] for values in (kind, visitor, session, product, at))
    date = str(np.datetime64(day, "D")).replace("-", "")
    event_id = [f"E{date}{number:07d}" for number in range(len(kind))]
    session_id = pa.array(
        [f"s{bits:016x}" for bits in hashes(seed, "session", np.arange(session.max() + 1), day).tolist()]
    )
    is_on_page = (kind == IMPRESSION) | (kind == CLICK)
    return pa.table(
        {
            "event_id": pa.array(event_id, pa.string()),
            "customer_id": people.take(pa.array(visitor)),
            "session_id": session_id.take(pa.array(session)),
            "product_id": products.product_id.take(pa.array(product, mask=product < 0)),
            "kind": words((*KINDS, UNKNOWN), np.where(_is_broken(day, len(kind), seed), len(KINDS), kind)),
            "occurred_at": timestamps(at),
            "placement": only_where(is_on_page, words(("home",), np.zeros(len(kind), np.int64))),
        }
    )


def _is_broken(day: int, count: int, seed: int) -> Flags:
    """A few rows of a kind that the contract does not know, as extracts have them: they belong into quarantine."""
    return uniform(seed, "broken", np.arange(count), day) < BROKEN
