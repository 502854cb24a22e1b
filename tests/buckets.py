"""A real S3 API over HTTP on loopback, and landing zones copied into a bucket of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.s3 import Bucket, S3Url

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of a server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def use_server(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a server the one that boto3 finds."""
    for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": address}).items():
        monkeypatch.setenv(name, value)


def make_bucket(name: str, prefix: str = "shop/store") -> S3Url:
    """A new empty bucket, and a folder of it."""
    url = S3Url(name, prefix)
    Bucket(url).client.create_bucket(Bucket=name)
    return url


def upload(folder: Path, url: S3Url) -> None:
    """Copy a folder with all that it holds."""
    bucket = Bucket(url)
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        bucket.send(file.relative_to(folder).as_posix(), file, {})
