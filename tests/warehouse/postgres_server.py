"""A real Postgres server for tests, from the system's binaries; started once, without durability."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda file: int(file.parts[-3]))
PASSWORD = "owl-in-the-night"
ENGLISH = "locale_provider icu icu_locale 'en' locale 'C.UTF-8'"  # neither the order of bytes nor that of DuckDB
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "60"}


@dataclass(frozen=True)
class Server:
    """A running server; `root` may do everything in it."""

    port: int
    folder: Path

    def url(self, database: str, user: str = "nightcart") -> str:
        """The URL of one of its databases."""
        return f"postgresql://{user}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def new_database(self, locale: str = ENGLISH) -> str:
        """The URL of a fresh database that belongs to the role nightcart, which may create roles."""
        name = f"shop_{uuid4().hex[:8]}"
        with psycopg.connect(self.url("postgres", "root"), autocommit=True) as connection:
            connection.execute(f"create database {name} owner nightcart template template0 {locale}".encode())
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        with psycopg.connect(self.url("postgres", "root"), autocommit=True) as connection:
            connection.execute(f"drop database {url.rsplit('/', 1)[1]} with (force)".encode())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(folder: Path, *command: str) -> None:
    """Run one of the server's programs; it refuses to be run by root."""
    user = {"user": "postgres", "group": pwd.getpwnam("postgres").pw_gid} if os.geteuid() == 0 else {}
    log = folder / "commands.log"
    with log.open("a") as output:
        if subprocess.run(command, cwd=folder, stdout=output, stderr=output, check=False, **user).returncode:
            raise RuntimeError(f"{command[0]} failed: {log.read_text()[-2000:]}")


@contextmanager
def running_server() -> Iterator[Server]:
    """A server on a free port of loopback, with its data in a temporary folder."""
    binaries = BINARIES[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="nightcart-postgres-", dir="/tmp"))  # the path of a socket must be short
    try:
        (folder / "password").write_text(PASSWORD)
        for path in (folder, folder / "password"):
            if os.geteuid() == 0:
                shutil.chown(path, "postgres")
        data, port = str(folder / "data"), _free_port()
        how = ["--username=root", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
        _run(folder, str(binaries / "initdb"), "-D", data, "--encoding=UTF8", "--locale=C.UTF-8", *how)
        settings = {**FAST, "port": str(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder)}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        start = ("-w", "-t", "60", "-l", str(folder / "server.log"), "-o", options, "start")
        _run(folder, str(binaries / "pg_ctl"), "-D", data, *start)
        try:
            server = Server(port, folder)
            with psycopg.connect(server.url("postgres", "root"), autocommit=True) as connection:
                connection.execute(f"create role nightcart login createrole password '{PASSWORD}'".encode())
            yield server
        finally:
            _run(folder, str(binaries / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The server of this test process."""
    if not BINARIES:
        pytest.skip("no Postgres server under /usr/lib/postgresql: what needs one is not tested")
    with running_server() as server:
        yield server


@pytest.fixture
def database(postgres_server: Server) -> Iterator[str]:
    """The URL of a fresh database, sorted as English is unless told otherwise."""
    url = postgres_server.new_database()
    yield url
    postgres_server.drop(url)
