"""A home with champions, for fabricated nights."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.home import Home
from tests.publishing.generators import VERSIONS, crown, home_in


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A fresh home whose outputs have champions."""
    home = home_in(tmp_path / "home")
    for output in VERSIONS:
        crown(home, output)
    return home
