"""The ranker: it learns what decides, says who serves, and sees nothing after its cut-off."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.recommendations.ranker import XGBoostRanker
from tests.models.generators import lists_frames


def test_smoke() -> None:
    f, t = lists_frames(customers=60, cutoffs=4)
    m = XGBoostRanker(top_k=5, exclude_bought=False, threads=1).fit(f, t)
    print(m.serves, m.figures)
    p = m.predict(f)
    assert np.isfinite(p["score"]).all()
    assert isinstance(p, pd.DataFrame)
