"""Any file of interactions, cut into what is known and what came after: rounds, the last of which is the test."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

USER, ITEM, AT, TITLE = "customer_id", "product_id", "bought_at", "title"
FIRST_DAY = dt.date(2000, 1, 1)
EARLIER_ROUNDS = 6
"""Windows before the test's that choices are made on."""
WINDOW = 28
"""Days between two rounds where the order is no date."""


@dataclass(frozen=True)
class Round:
    """What is known at a cut-off, in order, and what the users did next."""

    as_of: dt.date
    known: pd.DataFrame  # customer_id, product_id, bought_at
    targets: pd.DataFrame  # customer_id, product_id, each pair once
    titles: pd.Series | None = None  # by product_id, of what a shop shows in the window: also what nobody bought yet


@dataclass(frozen=True)
class Columns:
    """The columns of an interactions file."""

    user: str
    item: str
    order: str
    title: str | None = None


def read_events(path: Path, columns: Columns, where: str | None) -> pd.DataFrame:
    """customer_id, product_id and bought_at as they are in the file, in order; rows without a user or item left out.

    where: rows that count, as pandas' `query` takes it. Raises ValueError where a column is missing.
    """
    frame = pd.read_parquet(path)
    wanted = {columns.user: USER, columns.item: ITEM, columns.order: AT}
    wanted |= {columns.title: TITLE} if columns.title else {}
    if missing := sorted(set(wanted) - set(frame.columns)):
        raise ValueError(f"{path}: found no column {missing}, it has {sorted(frame.columns)}")
    frame = (frame.query(where) if where else frame)[list(wanted)].rename(columns=wanted).dropna()
    frame = frame.assign(**{USER: frame[USER].astype(str), ITEM: frame[ITEM].astype(str)})
    return frame.sort_values([USER, AT, ITEM], kind="stable", ignore_index=True)


def leave_one_out(events: pd.DataFrame) -> list[Round]:
    """The last event of each user is the test, the one before the validation; users with fewer than three are left out.

    An order that is no date counts as days: a user's last known event lies one day before the cut-off.
    """
    events = events[events.groupby(USER)[ITEM].transform("size") >= 3]
    from_end = events.groupby(USER).cumcount(ascending=False).to_numpy()
    rounds = []
    for back in (1, 0):
        as_of = FIRST_DAY + dt.timedelta(days=10_000 - WINDOW * back)
        known = events[from_end > back]
        ago = np.minimum(from_end[from_end > back] - back, 9_000)
        known = known.assign(**{AT: pd.Timestamp(as_of) - pd.to_timedelta(ago, unit="D")})
        rounds.append(Round(as_of, known, events.loc[from_end == back, [USER, ITEM]].reset_index(drop=True)))
    return rounds


def global_split(events: pd.DataFrame, cut: dt.date, days: int) -> list[Round]:
    """What users with a purchase before the cut bought in the `days` after it; earlier windows come first."""
    at = pd.to_datetime(events[AT])
    rounds = []
    for back in range(EARLIER_ROUNDS, -1, -1):
        as_of = cut - dt.timedelta(days=days * back)
        start, end = pd.Timestamp(as_of), pd.Timestamp(as_of + dt.timedelta(days=days))
        known = events[at < start]
        after = events[(at >= start) & (at < end) & events[USER].isin(known[USER].unique())]
        if len(known) and len(after):
            targets = after[[USER, ITEM]].drop_duplicates(ignore_index=True)
            rounds.append(Round(as_of, known.assign(**{AT: at[known.index]}), targets, _titles(events[at < end])))
    if not rounds or rounds[-1].as_of != cut:
        raise ValueError(f"found nobody with a purchase before {cut} and one in the {days} days after it")
    return rounds


def _titles(events: pd.DataFrame) -> pd.Series | None:
    return events.groupby(ITEM)[TITLE].first() if TITLE in events else None


def new_to_the_user(one: Round) -> Round:
    """The same with only the targets that a user had not before, and the users who have one."""
    pairs = pd.MultiIndex.from_frame(one.known[[USER, ITEM]])
    kept = ~pd.MultiIndex.from_frame(one.targets).isin(pairs)
    return replace(one, targets=one.targets[kept].reset_index(drop=True))
