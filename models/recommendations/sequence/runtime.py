"""Where torch computes: device, threads, and the same outcome each time."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch

Part = TypeVar("Part")
Made = TypeVar("Made")


@contextmanager
def on_device(name: str, threads: int) -> Iterator[torch.device]:
    """The device, with this many threads; random state and settings are as before afterwards.

    Raises ValueError where the device is not there.
    """
    if name not in ("cpu", "cuda") or (name == "cuda" and not torch.cuda.is_available()):
        raise ValueError(f"device is {name!r}, expected cpu, or cuda where torch finds one")
    before, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic  # its one attribute is made at import, where mypy does not see it
    filled = memory.fill_uninitialized_memory
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=name == "cuda")
    memory.fill_uninitialized_memory = False  # nothing here reads what it did not write
    try:
        with torch.random.fork_rng():
            yield torch.device(name)
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(strict)
        memory.fill_uninitialized_memory = filled


def in_threads(make: Callable[[Part], Made], parts: Sequence[Part]) -> list[Made]:
    """`make` of each part: as many at once as torch has threads, each by one, so that their number changes no bit."""
    threads = torch.get_num_threads()
    if threads == 1:
        return [make(part) for part in parts]
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(make, parts))
    finally:
        torch.set_num_threads(threads)


def machine() -> str:
    """What decides the last bits of what a CPU computes: the libraries and the processor."""
    processor = f"{torch.cpu.get_capabilities()['cpu_name']} {torch.backends.cpu.get_cpu_capability()}"
    return f"torch {torch.__version__}, numpy {np.__version__}, {processor}"


def peak_mib(device: torch.device) -> float:
    """The most memory so far: of the GPU that torch held, else of this process."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
