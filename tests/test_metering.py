"""What a piece of work takes is counted, and one meter inside of another takes nothing away from it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.metering import Usage, metered

MIB = 2**20


def burn(seconds: float) -> None:
    """Keep one core busy."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_seconds_memory_and_bytes_are_counted(tmp_path: Path) -> None:
    with metered() as meter:
        burn(0.2)
        (tmp_path / "file").write_bytes(b"x" * 8 * MIB)
        (tmp_path / "file").read_bytes()
        usage = meter.usage()
    assert usage.wall_seconds >= usage.cpu_seconds >= 0.2
    assert usage.bytes_read is not None and 8 * MIB <= usage.bytes_read < 9 * MIB
    assert usage.bytes_written is not None and 8 * MIB <= usage.bytes_written < 9 * MIB
    assert usage.peak_mib > 10


def test_a_process_that_was_waited_for_counts() -> None:
    with metered() as meter:
        subprocess.run([sys.executable, "-c", "sum(range(5_000_000))"], check=True)
        usage = meter.usage()
    with metered() as meter:
        assert meter.usage().cpu_seconds < usage.cpu_seconds
    assert usage.cpu_seconds > 0.05


def test_a_meter_keeps_its_peak_when_one_inside_counts_anew() -> None:
    with metered() as outer:
        held = bytearray(200 * MIB)
        assert len(held) == 200 * MIB
        del held
        with metered() as inner:
            inside = inner.usage()
        whole = outer.usage()
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the kernel does not count the peak anew")
    assert whole.peak_mib > inside.peak_mib + 150
    assert whole.wall_seconds >= inside.wall_seconds


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is a GPU")
def test_without_a_gpu_it_takes_nothing_of_one() -> None:
    with metered() as meter:
        usage = meter.usage()
    assert (usage.gpu_seconds, usage.gpu_wh) == (0.0, 0.0)


@pytest.mark.skipif(not Path("/dev/nvidiactl").exists(), reason="there is no GPU")
def test_a_gpu_is_seen_at_work() -> None:
    torch = pytest.importorskip("torch")
    with metered() as meter:
        end = time.perf_counter() + 3.0
        matrix = torch.rand(4_096, 4_096, device="cuda")
        while time.perf_counter() < end:
            matrix = torch.nn.functional.normalize(matrix @ matrix)
            torch.cuda.synchronize()
        usage = meter.usage()
    assert usage.gpu_seconds is not None and 1.0 < usage.gpu_seconds < 4.0
    assert usage.gpu_wh is not None and usage.gpu_wh > 0.01


def test_nothing_taken_is_nothing() -> None:
    assert Usage().gpu_seconds == 0.0
    assert Usage().bytes_read is None
