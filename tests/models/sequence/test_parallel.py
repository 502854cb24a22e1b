"""Two processes that share each step end where one alone ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import distributed

from models.recommendations.sequence.packing import pack
from models.recommendations.sequence.parallel import share_of
from models.recommendations.sequence.recipe import Recipe
from models.recommendations.sequence.training import fit_sequences
from tests.models.sequence.test_training import SHAPE, chains, learnt

RECIPE = Recipe(epochs=2, batch_tokens=256, negatives=20, warmup=5, judged=20, dropout=0.0, checkpoint_steps=1)
PROJECT = Path(__file__).parents[3]


def trained(folder: Path, name: str) -> None:
    """Weights, curve and the epochs that this process was told of, into the folder."""
    told: list[float] = []

    def tell(epoch: dict[str, float]) -> bool:
        told.append(epoch["epoch"])
        return False

    network, curve = fit_sequences(chains(60), SHAPE, RECIPE, checkpoint=folder / "state", on_epoch=tell)
    save_file(network.state_dict(), folder / f"{name}.safetensors")
    (folder / f"{name}.json").write_text(json.dumps({"curve": learnt(curve), "told": told}), "utf-8")


def test_two_processes_end_where_one_ends(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, __file__, str(tmp_path / "two")], check=True, cwd=PROJECT, env=environment)
    trained(tmp_path / "one", "0")
    expected = load_file(tmp_path / "one" / "0.safetensors")
    first, second = (load_file(tmp_path / "two" / f"{rank}.safetensors") for rank in range(2))
    for name, weight in expected.items():
        assert torch.equal(first[name], second[name]), name
        assert torch.allclose(first[name], weight, atol=1e-4), name
    one, ours, theirs = (
        json.loads((tmp_path / name).read_text()) for name in ("one/0.json", "two/0.json", "two/1.json")
    )
    assert ours["curve"] == theirs["curve"]
    assert np.allclose([e["loss"] for e in ours["curve"]], [e["loss"] for e in one["curve"]], atol=1e-4)
    assert (ours["told"], theirs["told"]) == ([0, 1], [])


def test_without_a_group_a_step_is_ones_own_and_may_be_empty() -> None:
    lengths = np.array([3, 1, 2])
    assert share_of(np.array([2, 0, 1]), lengths).tolist() == [2, 0, 1]
    nothing = np.zeros(0, np.int64)
    assert len(pack(nothing, nothing).events) == 0


if __name__ == "__main__":
    distributed.init_process_group("gloo")
    trained(Path(sys.argv[1]), str(distributed.get_rank()))
    distributed.destroy_process_group()
