"""Any file of sales as series of periods side by side, and its rolling origins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

Floats = NDArray[np.float64]
PERIOD_DAYS = {"D": 1, "W": 7, "M": 30, "Q": 91}
"""How the models name a frequency."""
GROUPS = ("category", "brand")
"""What the models know of a series besides its sales."""


class Columns(NamedTuple):
    """The columns of a sales file; several ids make one together."""

    ids: list[str]
    time: str
    value: str
    groups: list[str]


@dataclass(frozen=True)
class Sales:
    """n series over T periods. A period without a row sold nothing."""

    ids: NDArray[np.str_]
    groups: pd.DataFrame
    """[n] rows of category and brand, null where none is given."""
    starts: NDArray[np.datetime64]
    """[T + 1] first day of each period, and the day after the last."""
    values: NDArray[np.floating]
    """[n, T] what was sold, summed within a period; below zero where more came back."""
    first: NDArray[np.int64]
    """[n] the column of the first sale, T for a series without any."""

    @cached_property
    def names(self) -> ExtensionArray:
        """The ids as a column of text, made once."""
        return pd.array(self.ids, dtype="str")

    def scope(self, cut: int, least: int) -> NDArray[np.int64]:
        """The series with a sale in at least `least` of the periods before column `cut`: the past alone decides."""
        if least <= 1:
            return np.flatnonzero(self.first < cut)
        return np.flatnonzero((self.values[:, :cut] > 0).sum(axis=1) >= least)


def read_sales(path: Path, columns: Columns, freq: str, where: str | None = None) -> Sales:
    """The file's rows, summed by series and period; weeks end on the last day of the file.

    where: rows that count, as pandas' `query` takes it. Times with an offset count on their own local day. Raises
    ValueError where a column is missing, a value is no finite number, a time or an id is null, or nothing is left.
    """
    frame = pd.read_parquet(path)
    wanted = [*columns.ids, columns.time, columns.value, *columns.groups]
    if missing := sorted(set(wanted) - set(frame.columns)):
        raise ValueError(f"{path}: found no column {missing}, it has {sorted(frame.columns)}")
    frame = (frame.query(where, engine="python") if where else frame)[list(dict.fromkeys(wanted))]
    if not len(frame):
        raise ValueError(f"{path}: found no row{' where ' + where if where else ''}, expected sales")
    values, at = _checked(path, frame, columns)
    by_id = frame.groupby(columns.ids, sort=True)
    series, names = by_id.ngroup().to_numpy(), [np.atleast_1d(key) for key in by_id.groups]
    ids = np.array(["/".join(map(str, key)) for key in names])
    period, starts = _periods(at.to_numpy().astype("datetime64[D]"), freq)
    table = np.zeros((len(ids), len(starts) - 1))
    np.add.at(table, (series, period), values)
    selling = table > 0
    first = np.where(selling.any(axis=1), selling.argmax(axis=1), table.shape[1])
    return Sales(ids, _groups(frame, series, columns.groups), starts, table, first)


def _checked(path: Path, frame: pd.DataFrame, columns: Columns) -> tuple[Floats, pd.Series]:
    """The values and the local times of the rows."""
    values = pd.to_numeric(frame[columns.value], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    if pd.api.types.is_numeric_dtype(frame[columns.time]):
        raise ValueError(f"{path}: found numbers in {columns.time}, expected dates or times")
    at = pd.to_datetime(frame[columns.time], errors="coerce")
    at = at.dt.tz_localize(None) if at.dt.tz is not None else at
    if bad := int((~np.isfinite(values)).sum() + at.isna().sum()):
        raise ValueError(f"{path}: found {bad} rows whose {columns.value} or {columns.time} is no number or time")
    if nameless := int(frame[columns.ids].isna().any(axis=1).sum()):
        raise ValueError(f"{path}: found {nameless} rows without {columns.ids}, expected the name of a series in each")
    return values, at


def _periods(day: NDArray[np.datetime64], freq: str) -> tuple[NDArray[np.int64], NDArray[np.datetime64]]:
    """The column of each row's period, and the periods' first days with the day after the last."""
    if freq in ("D", "W"):
        days = PERIOD_DAYS[freq]
        end = day.max() + np.timedelta64(1, "D")
        back = (end - np.timedelta64(1, "D") - day).astype(np.int64) // days
        count = int(back.max()) + 1
        return count - 1 - back, end - np.arange(count, -1, -1) * np.timedelta64(days, "D")
    months = 1 if freq == "M" else 3
    place = day.astype("datetime64[M]").astype(np.int64) // months
    span = np.arange(place.min(), place.max() + 2) * months
    return place - place.min(), span.astype("datetime64[M]").astype("datetime64[D]")


def _groups(frame: pd.DataFrame, series: NDArray[np.int64], names: list[str]) -> pd.DataFrame:
    """The first value of each group column by series."""
    rows = np.unique(series, return_index=True)[1]
    found = {to: frame[name].iloc[rows].astype(str).to_numpy() for to, name in zip(GROUPS, names, strict=False)}
    return pd.DataFrame(found | dict.fromkeys(GROUPS[len(names) :]), index=range(len(rows)))


def origins(sales: Sales, horizon: int, folds: int, before: int = 0) -> list[int]:
    """The columns that the last `folds` windows of the horizon start at, `before` windows further back.

    Raises ValueError where the first of them has no past.
    """
    last = sales.values.shape[1] - horizon * before
    found = [last - horizon * (folds - fold) for fold in range(folds)]
    if found[0] < 2:
        raise ValueError(
            f"found {sales.values.shape[1]} periods, expected at least {horizon * (folds + before) + 2} for "
            f"{folds} windows of {horizon}"
        )
    return found
