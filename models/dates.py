"""Date columns of any kind (datetime64, Python dates, Arrow dates) as numpy days."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def to_days(column: pd.Series) -> NDArray[np.datetime64]:
    """A date column as datetime64[D], NaT where it is null; a time of day is cut off."""
    return np.asarray(pd.to_datetime(column).to_numpy(dtype="datetime64[us]")).astype("datetime64[D]")
