"""The doctor: what of this home and machine is wrong, and what to do about it."""

from __future__ import annotations

import configparser
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from pipelines.errors import IncomingFault, NightcartError
from pipelines.home import PROJECT, Home
from pipelines.places import Places
from pipelines.settings import known_keys

LEAST_FREE_GIB = 2.0


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    what: str
    found: str
    advice: str = ""
    is_wrong: bool = False


def examine() -> list[Finding]:
    """Look at settings, landing zone, versions, disk, ports, device and the last release."""
    try:
        home = Home.open()
    except NightcartError as error:
        return [Finding("settings", str(error), error.hint, is_wrong=True), Finding("keys", ", ".join(known_keys()))]
    checks: list[Callable[[Home], Finding]] = [
        _settings,
        _landing,
        _warehouse,
        _versions,
        _disk,
        _device,
        _scheduler,
        _release,
    ]
    ports = {home.places.airflow_port: "Airflow's UI", home.places.mlflow_port: "MLflow's UI"}
    return [_looked_at(check, home) for check in checks] + [_port(port, use) for port, use in ports.items()]


def _looked_at(check: Callable[[Home], Finding], home: Home) -> Finding:
    """A finding, even where looking fails: a server that is away, say."""
    try:
        return check(home)
    except NightcartError as error:
        return Finding(check.__name__.strip("_"), str(error), error.hint, is_wrong=True)


def _warehouse(home: Home) -> Finding:
    found, advice, is_wrong = home.warehouse.examine()
    return Finding("warehouse", found, advice, is_wrong)


def _settings(home: Home) -> Finding:
    places: Places = home.places
    unused = home.settings.not_in_effect()
    advice = f"set, but nothing built so far reads: {', '.join(unused)}" if unused else ""
    return Finding("settings", f"home {places.home}, file {places.settings_file or 'none'}", advice)


def _landing(home: Home) -> Finding:
    from pipelines.contract import ENTITIES
    from pipelines.ingest.landing import complete_partitions

    try:
        counts = {name: len(complete_partitions(home.landing, entity)) for name, entity in ENTITIES.items()}
    except IncomingFault:
        advice = "NIGHTCART_LANDING names it; `nightcart demo-store DIR` writes one"
        return Finding("landing zone", f"{home.landing} is not there", advice, is_wrong=True)
    except NightcartError as error:
        return Finding("landing zone", str(error), error.hint, is_wrong=True)
    missing = [name for name, count in counts.items() if not count and ENTITIES[name].required]
    advice = f"required, but never delivered: {', '.join(missing)}" if missing else ""
    found = ", ".join(f"{name} {count}" for name, count in counts.items())
    return Finding("landing zone", f"complete partitions: {found}", advice, is_wrong=bool(missing))


def _versions(home: Home) -> Finding:
    parser = configparser.ConfigParser()
    parser.read(PROJECT / "setup.cfg")
    pins = [line.split("==") for line in parser["options"]["install_requires"].split() if "==" in line]
    wrong = []
    for name, wanted in pins:
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "missing"
        if found.split("+")[0] != wanted:
            wrong.append(f"{name} {found}, expected {wanted}")
    return Finding("versions", "; ".join(wrong) or f"{len(pins)} as pinned", "make setup" if wrong else "", bool(wrong))


def _disk(home: Home) -> Finding:
    free = shutil.disk_usage(home.root).free / 2**30
    is_low = free < LEAST_FREE_GIB
    return Finding("disk", f"{free:.1f} GiB free", f"free {LEAST_FREE_GIB:.0f} GiB or more" if is_low else "", is_low)


def _device(home: Home) -> Finding:
    import torch

    wants, has = home.settings.compute.device, torch.cuda.is_available()
    is_wrong = wants == "cuda" and not has
    advice = "make clean setup TORCH=cuda, and see nvidia-smi; or set compute.device to auto" if is_wrong else ""
    found = f"{home.device}, {home.threads} threads, torch {torch.__version__}"
    return Finding("device", found, advice, is_wrong)


def _scheduler(home: Home) -> Finding:
    from pipelines.night import refuse_scheduler

    try:
        refuse_scheduler(home)
    except NightcartError as error:
        return Finding("scheduler", str(error), error.hint)
    return Finding("scheduler", "none lives on this home")


def _release(home: Home) -> Finding:
    current = home.records.current_release()
    found = current["release_id"] if current else "nothing published yet"
    return Finding("release", found, "" if current else "nightcart night")


def _port(port: int, use: str) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(f"port {port}", f"taken ({os.strerror(error.errno or 0)})", f"{use} needs another port")
    return Finding(f"port {port}", f"free for {use}")
