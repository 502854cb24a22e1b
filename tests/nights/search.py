"""Looks for values in every byte that a night left behind: inside files of any kind, buckets, databases and logs."""

from __future__ import annotations

import base64
import gzip
import html
import io
import sqlite3
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, unquote

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.s3 import Bucket, S3Url
from tests.warehouse.postgres_server import BINARIES, Server

STEM = 6  # bytes
SHORTEST = 8  # bytes; of fewer a hit says nothing
Part = tuple[str, bytes]
"""What it is, and its bytes."""


class Needles:
    """Values as they could be written: in any case, without spaces, base64, encoded for URLs."""

    def __init__(self, values: Iterable[str]) -> None:
        every = set(values)
        self.folded = _by_stem({text.lower().encode(): value for value in every for text in _spellings(value)})
        self.exact = _by_stem({code: value for value in every if "@" in value for code in _in_base64(value)})

    def found_in(self, content: bytes) -> set[str]:
        """The values that occur."""
        found = set()
        for stems, text in ((self.folded, content.lower()), (self.exact, content)):
            for stem, needles in stems.items():
                if stem in text:
                    found |= {value for needle, value in needles.items() if needle in text}
        return found


def _by_stem(needles: Mapping[bytes, str]) -> dict[bytes, dict[bytes, str]]:
    """Needles by the bytes inside them that most others share: where these are not, none of them is."""
    often = Counter(stem for needle in needles for stem in _stems(needle))
    found: dict[bytes, dict[bytes, str]] = defaultdict(dict)
    for needle, value in needles.items():
        found[max(_stems(needle), key=lambda stem: (often[stem], stem))][needle] = value
    return found


def _stems(needle: bytes) -> set[bytes]:
    return {needle[at : at + STEM] for at in range(len(needle) - STEM + 1)}


def _spellings(value: str) -> set[str]:
    squeezed = "".join(sign for sign in value if sign.isalnum())
    texts = {value, value.replace(" ", ""), quote(value), quote(value, safe="")}
    if sum(sign.isdigit() for sign in value) > 10:  # a number of many digits; fewer come about by chance
        texts.add(squeezed)
    return {text for text in texts if len(text.encode()) >= SHORTEST}


def _in_base64(value: str) -> Iterator[bytes]:
    """Base64 of a value at each of the three places that it can begin at, without signs that its neighbours share."""
    for text in {value, value.lower()}:
        for shift in range(3):
            code = base64.b64encode(b"\0" * shift + text.encode())
            yield code[(0, 2, 3)[shift] : (len(text) + shift) * 8 // 6].rstrip(b"=")


def parts_of_folder(folder: Path) -> Iterator[Part]:
    """Each file below a folder: its path, its bytes, and what is inside it."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            name = file.relative_to(folder).as_posix()
            yield name, name.encode()
            yield from parts_of_file(name, file)


def parts_of_file(name: str, file: Path) -> Iterator[Part]:
    """The bytes of a file, and what is inside it."""
    content = file.read_bytes()
    yield name, content
    if content[:4] == b"PAR1":
        yield from _in_parquet(name, content)
    elif content[:2] == b"\x1f\x8b":
        yield name, gzip.decompress(content)
    elif content[:4] == b"\x28\xb5\x2f\xfd":
        yield name, pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()
    elif content[:15] == b"SQLite format 3":
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            yield name, "\n".join(connection.iterdump()).encode()
    elif content[8:12] == b"DUCK":
        yield from _in_duckdb(name, file)
    elif b"&#" in content or b"%40" in content:
        yield name, unquote(html.unescape(content.decode(errors="replace"))).encode()


def _in_parquet(name: str, content: bytes) -> Iterator[Part]:
    file = pq.ParquetFile(io.BytesIO(content))
    yield name, str(file.read().to_pydict()).encode()
    yield f"{name} (metadata)", str([file.metadata.metadata, file.schema_arrow, file.metadata.to_dict()]).encode()


def _in_duckdb(name: str, file: Path) -> Iterator[Part]:
    with duckdb.connect(file, read_only=True) as connection:
        tables = "select schema_name, table_name from duckdb_tables()"
        for schema, table in connection.execute(tables).fetchall():
            rows = connection.execute(f'from "{schema}"."{table}"').fetchall()
            yield f"{name} ({schema}.{table})", str(rows).encode()
        yield f"{name} (views)", str(connection.execute("select sql from duckdb_views()").fetchall()).encode()


def parts_of_bucket(url: S3Url, scratch: Path) -> Iterator[Part]:
    """Each object of a bucket: its key and metadata, its bytes, and what is inside it."""
    client = Bucket(url).client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=url.bucket):
        for listed in page.get("Contents", []):
            found = client.get_object(Bucket=url.bucket, Key=listed["Key"])
            yield listed["Key"], f"{listed['Key']} {found['Metadata']}".encode()
            scratch.write_bytes(found["Body"].read())
            yield from parts_of_file(listed["Key"], scratch)


def parts_of_server(server: Server, url: str) -> Iterator[Part]:
    """A Postgres database as it is dumped, its statistics, and every byte of its server's files and log."""
    name = url.rsplit("/", 1)[1]
    with psycopg.connect(server.url(name, "root"), autocommit=True) as connection:
        for schema, table in connection.execute(
            "select schemaname, tablename from pg_tables where schemaname <> 'information_schema'"
        ).fetchall():
            rows = connection.execute(f'select * from "{schema}"."{table}"'.encode()).fetchall()
            yield f"{schema}.{table}", str(rows).encode()
        yield "pg_stats", str(connection.execute("select * from pg_stats").fetchall()).encode()
        connection.execute("checkpoint")
    dump = [str(BINARIES[-1].with_name("pg_dump")), server.url(name, "root")]
    yield "pg_dump", subprocess.run(dump, capture_output=True, check=True).stdout
    for file in sorted(server.folder.rglob("*")):
        if file.is_file() and not file.is_symlink() and file.stat().st_size:
            yield f"server's {file.relative_to(server.folder)}", file.read_bytes()
