"""S3 through boto3: where a folder of a bucket is, its objects, and what an error of it means.

Endpoint, region and credentials are boto3's own: `AWS_ENDPOINT_URL`, `AWS_DEFAULT_REGION`, `AWS_ACCESS_KEY_ID`, ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.errors import NightcartError, StorageFault, UsageFault

SCHEME = "s3://"
ATTEMPTS = 5  # of a request, with backoff between them
CONNECT_SECONDS, READ_SECONDS = 10, 60
PART_BYTES = 64 << 20  # a larger file is sent and fetched in parts of this size
BATCH = 1000  # keys that one request may delete


@dataclass(frozen=True)
class S3Url:
    """A folder of a bucket: `s3://bucket/prefix`."""

    bucket: str
    prefix: str  # without slashes at its ends; may be empty

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}".rstrip("/")

    def key(self, name: str) -> str:
        """The object key of a name in the folder."""
        return f"{self.prefix}/{name}" if self.prefix else name


@dataclass(frozen=True)
class S3Object:
    """One object below the folder."""

    name: str  # seen from the folder
    size: int
    etag: str
    modified: datetime  # UTC, naive


Place = Path | S3Url


def parse_place(text: str) -> Place:
    """A local folder, or one of a bucket.

    Raises:
        UsageFault: an s3:// address without a bucket, or an address of another kind.
    """
    if text.startswith(SCHEME):
        bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
        if not bucket:
            raise UsageFault(f"{text} names no bucket", "expected s3://bucket/prefix")
        return S3Url(bucket, prefix.strip("/"))
    if "://" in text:
        raise UsageFault(f"{text} is neither a folder nor s3://bucket/prefix", "name one of the two")
    return Path(text).absolute()


class Bucket:
    """The objects below one folder of a bucket; every error says what to do."""

    def __init__(self, url: S3Url) -> None:
        self.url = url

    @cached_property
    def client(self) -> Any:
        """boto3's client; what it needs it finds by itself."""
        import boto3
        from botocore.config import Config

        retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
        config = Config(retries=retries, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
        with self.faults():
            return boto3.session.Session().client("s3", config=config)

    @cached_property
    def transfer(self) -> Any:
        """How large files are sent and fetched: in parts, some at a time."""
        from boto3.s3.transfer import TransferConfig

        return TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=4)

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Errors of boto3 as errors that say what to do; FileNotFoundError where there is no such object."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (Boto3Error, BotoCoreError, ClientError) as error:
            cause = error.__context__ if isinstance(error, Boto3Error) and error.__context__ else error
            if _code(cause) in ("404", "NoSuchKey"):
                raise FileNotFoundError(str(self.url)) from error
            raise self._fault(cause) from error

    def make(self) -> bool:
        """Make the bucket where it is missing; returns whether it was."""
        try:
            self._need_bucket()
            return False
        except StorageFault:
            with self.faults():
                self.client.create_bucket(Bucket=self.url.bucket)
            return True

    def objects(self, folder: str = "") -> Iterator[S3Object]:
        """Every object below a folder, in the order of their names."""
        prefix = self.url.key(f"{folder}/" if folder else "")
        with self.faults():
            for page in self._pages(Prefix=prefix):
                for row in page.get("Contents", ()):
                    modified = row["LastModified"].astimezone(UTC).replace(tzinfo=None)
                    yield S3Object(self._name(row["Key"]), row["Size"], row["ETag"].strip('"'), modified)

    def folders(self) -> list[str]:
        """The names of the folders directly below."""
        prefix = self.url.key("")
        with self.faults():
            pages = list(self._pages(Prefix=prefix, Delimiter="/"))
        return [self._name(row["Prefix"]).strip("/") for page in pages for row in page.get("CommonPrefixes", ())]

    def head(self, name: str) -> dict[str, Any] | None:
        """What the server says of an object; None where there is none.

        Raises:
            NightcartError: there is no such bucket, among others.
        """
        try:
            with self.faults():
                return dict(self.client.head_object(Bucket=self.url.bucket, Key=self.url.key(name)))
        except FileNotFoundError:
            self._need_bucket()
            return None

    def send(self, name: str, file: Path, metadata: dict[str, str]) -> None:
        """Put a file under a name, a large one in parts; it appears whole or not at all."""
        key = self.url.key(name)
        with self.faults():
            self.client.upload_file(
                str(file), self.url.bucket, key, ExtraArgs={"Metadata": metadata}, Config=self.transfer
            )

    def send_once(self, name: str, file: Path, metadata: dict[str, str]) -> bool:
        """Put a file under a name that is free; returns whether it was."""
        if file.stat().st_size > PART_BYTES:
            is_free = self.head(name) is None
            if is_free:
                self.send(name, file, metadata)
            return is_free
        from botocore.exceptions import ClientError

        with self.faults(), file.open("rb") as stream:
            where = {"Bucket": self.url.bucket, "Key": self.url.key(name)}
            try:
                self.client.put_object(**where, Body=stream, Metadata=metadata, IfNoneMatch="*")
            except ClientError as error:
                if _code(error) not in ("PreconditionFailed", "412", "ConditionalRequestConflict", "409"):
                    raise
                return False
        return True

    def fetch(self, name: str, file: Any) -> None:
        """Fetch an object into a file that is open for writing.

        Raises:
            FileNotFoundError: there is none.
        """
        with self.faults():
            self.client.download_fileobj(self.url.bucket, self.url.key(name), file, Config=self.transfer)

    def delete(self, names: list[str]) -> None:
        """Remove objects; those that are not there are no error."""
        for at in range(0, len(names), BATCH):
            keys = [{"Key": self.url.key(name)} for name in names[at : at + BATCH]]
            with self.faults():
                said = self.client.delete_objects(Bucket=self.url.bucket, Delete={"Objects": keys, "Quiet": True})
            if failed := said.get("Errors"):
                raise StorageFault(
                    f"{len(failed)} objects of {self.url} could not be removed: {failed[0].get('Code')}",
                    "allow s3:DeleteObject for these credentials",
                )

    def _pages(self, **options: str) -> Iterator[dict[str, Any]]:
        yield from self.client.get_paginator("list_objects_v2").paginate(Bucket=self.url.bucket, **options)

    def _name(self, key: str) -> str:
        return key[len(self.url.prefix) + 1 :] if self.url.prefix else key

    def _need_bucket(self) -> None:
        try:
            with self.faults():
                self.client.head_bucket(Bucket=self.url.bucket)
        except FileNotFoundError as error:
            raise self._no_bucket() from error

    def _no_bucket(self) -> NightcartError:
        return StorageFault(
            f"there is no bucket {self.url.bucket}", "create it, or name another one; AWS_ENDPOINT_URL says where"
        )

    def _fault(self, error: BaseException) -> NightcartError:
        """What an error means, and what to do about it."""
        code, kind = _code(error), type(error).__name__
        if code == "NoSuchBucket":
            return self._no_bucket()
        hints = {
            ("NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "CredentialRetrievalError"): (
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            ),
            ("403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"): (
                "check the credentials, and that they may list, read, write and delete there"
            ),
            ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError"): (
                "check that the S3 server runs and that AWS_ENDPOINT_URL names it, then run this again"
            ),
        }
        hint = next((hint for names, hint in hints.items() if code in names or kind in names), None)
        return StorageFault(f"{self.url}: {error}", hint or "check the S3 server and its log, then run this again")


def _code(error: BaseException) -> str:
    response = getattr(error, "response", None) or {}
    return str((response.get("Error") or {}).get("Code", ""))
