"""A step killed in the middle and run again: the same release, byte for byte."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.home import PROJECT, Home
from pipelines.records import steps
from pipelines.steps import STEPS
from tests.nights.conftest import files_of, walk
from tests.nights.store import NIGHTS


def kill_in_the_middle(home: Home, step: str, moment: random.Random) -> None:
    """Start the step as its own process, and kill it at some moment after it began to run."""
    running = sa.select(steps.c.step).where(steps.c.step == step, steps.c.status == "running")
    command = [sys.executable, "-m", "pipelines.cli", "step", step, str(NIGHTS[0])]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while home.records.first(running) is None and process.poll() is None:
        pass
    try:
        process.wait(timeout=moment.uniform(0.0, 1.2))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.mark.parametrize("seed", [1])
def test_kill_9_of_each_step(tmp_path: Path, enter: Callable[[Path], Home], forward: Home, seed: int) -> None:
    moment = random.Random(seed)
    killed = enter(tmp_path / "killed")
    for step in STEPS:
        kill_in_the_middle(killed, step, moment)
        walk(NIGHTS[0], steps=[step])
    assert files_of(killed) == files_of(forward, NIGHTS[0]) != {}
