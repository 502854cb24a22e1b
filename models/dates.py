"""Date columns of any kind (datetime64, Python dates, Arrow dates) as numpy days, and the rows of some days."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def to_days(column: pd.Series) -> NDArray[np.datetime64]:
    """A date column as datetime64[D], NaT where it is null; a time of day is cut off, with an offset the local one."""
    times = pd.to_datetime(column)
    times = times.dt.tz_localize(None) if times.dt.tz is not None else times
    return np.asarray(times.to_numpy(dtype="datetime64[us]")).astype("datetime64[D]")


def rows_of(frame: pd.DataFrame, kept: NDArray[np.bool_]) -> pd.DataFrame:
    """The rows of a frame that are kept, numbered anew; where they lie together nothing is copied."""
    first, count = int(kept.argmax()) if len(kept) else 0, int(kept.sum())
    together = bool(kept[first : first + count].all())
    return (frame.iloc[first : first + count] if together else frame[kept]).reset_index(drop=True)
