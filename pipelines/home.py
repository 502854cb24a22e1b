"""One home: its places and settings, with the records, the store and the warehouse opened on demand."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.errors import UsageFault
from pipelines.places import Places
from pipelines.record_store import Records
from pipelines.s3 import Place
from pipelines.settings import Settings, load_settings
from pipelines.storage import Storage, digest_of, open_storage
from pipelines.warehouse import Warehouse, open_warehouse
from pipelines.warehouse.address import RECORDS, Address, is_postgres

PROJECT = Path(__file__).resolve().parents[1]
CODE = ("pipelines/**/*.py", "models/**/*.py", "dbt/**/*.sql", "dbt/**/*.yml", "expectations/**/*.json")


@dataclass(frozen=True)
class Home:
    """All state of one Nightcart; two homes never touch each other."""

    places: Places
    settings: Settings

    @classmethod
    def open(cls) -> Home:
        """The home that the environment names."""
        places = Places.from_environment()
        places.home.mkdir(parents=True, exist_ok=True)
        return cls(places, load_settings(places.settings_file))

    @property
    def root(self) -> Path:
        """The folder of the home."""
        return self.places.home

    @property
    def landing(self) -> Place:
        """The store's landing zone."""
        return self.places.landing

    @cached_property
    def records(self) -> Records:
        """The ledger, nights, champions and releases; beside the warehouse where that is a server."""
        if is_postgres(self.places.warehouse):
            return Records(Address(self.places.warehouse).sqlalchemy, RECORDS)
        return Records(f"sqlite:///{self.root / 'records.sqlite'}")

    @cached_property
    def storage(self) -> Storage:
        """Snapshots, releases, models and incoming files."""
        return open_storage(self.places.storage, self.root / "cache")

    @cached_property
    def warehouse(self) -> Warehouse:
        """Where raw rows are kept, features built and releases published."""
        return open_warehouse(self.places.warehouse, self.root, self.threads)

    @property
    def threads(self) -> int:
        """Threads to compute with."""
        return self.settings.compute.threads or len(os.sched_getaffinity(0))

    @property
    def device(self) -> str:
        """cuda or cpu."""
        if self.settings.compute.device != "auto":
            return self.settings.compute.device
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    @cached_property
    def key(self) -> bytes:
        """The secret key of the pseudonyms, made at first use with mode 0600.

        Raises:
            UsageFault: the named key file is missing or too short.
        """
        named = self.settings.privacy.key_file
        file = Path(named).expanduser() if named else self.root / "key"
        if not named and not file.exists():
            handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(os.urandom(32).hex().encode())
        if not file.is_file() or len(key := file.read_bytes().strip()) < 32:
            raise UsageFault(f"no key of 32 bytes or more in {file}", "restore the key file; a new one unlinks history")
        return key

    @cached_property
    def inputs_digest(self) -> str:
        """What counts towards a release beside data and models: settings and code."""
        return digest_of({"settings": self.settings.in_digest(), "code": code_digest()})


def code_digest() -> str:
    """The SHA-256 over the files that decide what a night gives."""
    digest = hashlib.sha256()
    for file in sorted({file for pattern in CODE for file in PROJECT.glob(pattern)}):
        if "target" not in file.parts:
            digest.update(file.relative_to(PROJECT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
