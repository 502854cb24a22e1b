"""Metering: what a piece of work takes of the machine."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

SAMPLE_SECONDS = 0.5  # between two looks at a GPU
MILLIJOULES = 3_600_000  # a Wh
NO_GPU = (None, None) if Path("/dev/nvidiactl").exists() else (0.0, 0.0)


@dataclass(frozen=True)
class Usage:
    """What a piece of work took: of this process with all its threads, and of processes that it waited for.

    bytes: what was asked of files and pipes, whether a disk or the page cache gave it; None where the system counts
    none. gpu_seconds: seconds that the machine's GPUs were busy, whoever used them; gpu_wh: what they drew. Both are 0
    without a GPU, None where it cannot be asked (the package nvidia-ml-py is missing, or the driver refuses).
    """

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    gpu_seconds: float | None = 0.0
    gpu_wh: float | None = 0.0
    peak_mib: float = 0.0
    bytes_read: int | None = None
    bytes_written: int | None = None


class Meter:
    """Reads what was taken since it began."""

    def __init__(self) -> None:
        self.peak = 0.0
        self.begun = time.perf_counter(), _cpu_seconds(), _bytes()
        self.gpus = _Gpus.of_machine()

    def usage(self) -> Usage:
        """What was taken so far."""
        wall, cpu, files = self.begun
        moved = [now - then for now, then in zip(_bytes(), files, strict=True)]
        gpu_seconds, gpu_wh = self.gpus.taken() if self.gpus else NO_GPU
        return Usage(
            wall_seconds=round(time.perf_counter() - wall, 3),
            cpu_seconds=round(_cpu_seconds() - cpu, 3),
            gpu_seconds=gpu_seconds,
            gpu_wh=gpu_wh,
            peak_mib=round(max(self.peak, _peak_mib()), 1),
            bytes_read=moved[0] if moved else None,
            bytes_written=moved[1] if moved else None,
        )


_open: list[Meter] = []
"""Meters that run: one inside of another may count the peak anew, and the outer one must not forget."""


@contextmanager
def metered() -> Iterator[Meter]:
    """A meter for what is done within."""
    for outer in _open:
        outer.peak = max(outer.peak, _peak_mib())
    _reset_peak()
    meter = Meter()
    _open.append(meter)
    try:
        yield meter
    finally:
        _open.remove(meter)
        if meter.gpus:
            meter.gpus.ended.set()


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _bytes() -> tuple[int, ...]:
    """Read and written, by this process and those that it waited for; nothing where the system counts none."""
    with suppress(AttributeError, psutil.Error):
        counted = psutil.Process().io_counters()
        return counted.read_chars, counted.write_chars
    return ()


def _reset_peak() -> None:
    """Make the kernel count the peak of this process anew, where it lets us."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mib() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Gpus:
    """The machine's GPUs, looked at from a thread: how busy they are, and the energy that they count themselves."""

    def __init__(self) -> None:
        import pynvml

        pynvml.nvmlInit()
        self.nvml, self.seconds = pynvml, 0.0
        self.handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
        self.begun = self._drawn()
        self._look(0.0)
        self.ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    @classmethod
    def of_machine(cls) -> Self | None:
        """None where there are none, or where they cannot be asked."""
        if Path("/dev/nvidiactl").exists():
            with suppress(Exception):  # whatever a driver lacks: a night does not fail for it
                return cls()
        return None

    def taken(self) -> tuple[float, float]:
        """Busy seconds and Wh since the beginning."""
        return round(self.seconds, 3), round((self._drawn() - self.begun) / MILLIJOULES, 6)

    def _watch(self) -> None:
        last = time.perf_counter()
        while not self.ended.wait(SAMPLE_SECONDS):
            now = time.perf_counter()
            self._look(now - last)
            last = now

    def _look(self, seconds: float) -> None:
        self.seconds += seconds * sum(self.nvml.nvmlDeviceGetUtilizationRates(one).gpu for one in self.handles) / 100

    def _drawn(self) -> int:
        return sum(self.nvml.nvmlDeviceGetTotalEnergyConsumption(one) for one in self.handles)
