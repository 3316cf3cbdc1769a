"""
A prefix of an S3 bucket. An object appears when its upload is completed, so there is nothing to rename.
"""

import base64
import hashlib
import ipaddress
import os
import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, ReadTimeoutError, SSLError
from botocore.exceptions import ConnectionError as NotConnected
from s3fs import S3FileSystem
from s3fs.core import S3_RETRYABLE_ERRORS

from anonymizers.errors import SendRefused
from delivery.sending.transport import BLOCK, Credentials, Cut, Patience

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MOST_PARTS = 10_000
"""Of one upload, whose parts have 5 MiB or more."""

_PASSING = ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException")
_DAMAGED = ("BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", "NoSuchUpload")
"""S3 codes under 500 that another try mends: what arrived was not what was sent, or an upload has been cleaned away."""


def bucket_at(parts: SplitResult, credentials: Credentials, patience: Patience, own: Any = None) -> "Bucket":
    """The bucket and prefix of a split address; refused if the address, the login or the endpoint is of no use."""
    if not _BUCKET.fullmatch(parts.netloc):
        raise SendRefused("the address is not of the form s3://bucket/prefix")
    if own is None and not (credentials.login and credentials.password and credentials.region):
        # Or the library would look for other ones on this machine.
        raise SendRefused(f"no login for the bucket {parts.netloc}: give access key id, secret access key and region")
    if own is None:
        _require_private(credentials.endpoint_url)
    return Bucket(
        bucket=parts.netloc,
        prefix=unquote(parts.path).strip("/"),
        credentials=credentials,
        patience=patience,
        filesystem=own,
    )


@cache
def _session() -> AioSession:
    """Boto's descriptions of S3, which take a second to read; no settings of whoever runs this."""
    session = AioSession()
    session.set_config_variable("config_file", os.devnull)
    return session


def _require_private(endpoint: str) -> None:
    """The wire is encrypted, or there is none."""
    parts = urlsplit(endpoint)
    if not endpoint or (parts.scheme == "https" and parts.hostname and parts.username is None):
        return
    try:
        here = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        here = False
    if parts.scheme != "http" or parts.username is not None or not here:
        raise SendRefused("the endpoint of the object store is not https://host, or http:// of this machine")


@dataclass(kw_only=True)
class Bucket:
    """
    A prefix of an S3 bucket. An object appears when its upload is completed, so uploads are multipart ones, of any
    size. Rights it needs: PutObject, GetObject and ListBucket; to go on from a cut also ListBucketMultipartUploads and
    ListMultipartUploadParts, to clean up AbortMultipartUpload.
    """

    bucket: str
    prefix: str
    credentials: Credentials
    patience: Patience
    filesystem: Any = None

    @property
    def title(self) -> str:
        return f"the bucket {self.bucket}"

    def close(self) -> None:
        if self.filesystem is not None:
            self.filesystem.close_session(self.filesystem.loop, self.filesystem.s3)
        self.filesystem = None

    def size(self, name: str) -> int | None:
        with self._answers():
            return self._size(name)

    def upload(self, source: Path, name: str, size: int) -> Callable[[], None]:
        key = self._key(name)
        parts = []
        # Of one size for one file, so that another try cuts it in the same places.
        step = max(BLOCK, -(-size // _MOST_PARTS))
        with self._answers(), source.open("rb") as file:
            upload, there = self._begun(key)
            for number in range(1, max(1, -(-size // step)) + 1):
                tag = self._bring(key, upload, number, file.read(step), there.get(number))
                parts.append({"PartNumber": number, "ETag": tag})
        return lambda: self._show(name, upload, parts, size)

    def discard(self, name: str) -> None:
        with self._answers():
            for upload in self._uploads(self._key(name)):
                with suppress(FileNotFoundError):
                    self._call("abort_multipart_upload", Key=upload["Key"], UploadId=upload["UploadId"])

    def unfinished(self) -> list[str]:
        with self._answers():
            names = [upload["Key"].removeprefix(self._key("")) for upload in self._uploads()]
        return [name for name in names if "/" not in name]

    def list_files(self, subdir: str) -> list[str]:
        folder = self._key(f"{subdir}/" if subdir else "")
        tokens = {"ContinuationToken": "NextContinuationToken"}
        with self._answers():
            pages = list(self._pages("list_objects_v2", tokens, Prefix=folder, Delimiter="/"))
        names = (one["Key"].removeprefix(folder) for page in pages for one in page.get("Contents", ()))
        return [posixpath.join(subdir, name) for name in names if name and not name.startswith(".")]

    def read(self, name: str, at_most_bytes: int) -> bytes:
        size = self.size(name)
        if size is None:
            raise SendRefused(f"{self.title}: a file to be read is not there; ask the partner")
        if not size:
            return b""  # a range of nothing is an error
        with self._answers():
            end = min(size, at_most_bytes + 1)
            path = f"{self.bucket}/{self._key(name)}"
            return self._connected().cat_file(path, start=0, end=end, timeout=self._longest(end))

    def _size(self, name: str) -> int | None:
        try:
            return self._call("head_object", Key=self._key(name))["ContentLength"]
        except FileNotFoundError:
            return None

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def _begun(self, key: str) -> tuple[str, dict[int, tuple[str, int]]]:
        """The upload to go on with, new or not, and of each part that is there the entity tag and the size."""
        uploads = sorted(self._uploads(key), key=lambda upload: upload["Initiated"])
        tokens = {"PartNumberMarker": "NextPartNumberMarker"}
        with suppress(PermissionError, IndexError):
            upload = uploads[-1]["UploadId"]
            pages = self._pages("list_parts", tokens, Key=key, UploadId=upload)
            found = [part for page in pages for part in page.get("Parts", ())]
            return upload, {part["PartNumber"]: (part["ETag"].strip('"'), part["Size"]) for part in found}
        return self._call("create_multipart_upload", Key=key)["UploadId"], {}

    def _bring(self, key: str, upload: str, number: int, block: bytes, there: tuple[str, int] | None) -> str:
        """Upload a part that is not there yet; its entity tag. The store compares the digest, which is no secret."""
        digest = hashlib.md5(block, usedforsecurity=False)
        if there == (digest.hexdigest(), len(block)):
            return there[0]
        checked = base64.b64encode(digest.digest()).decode()
        answer = self._call("upload_part", Key=key, UploadId=upload, PartNumber=number, Body=block, ContentMD5=checked)
        return answer["ETag"]

    def _show(self, name: str, upload: str, parts: list[dict], size: int) -> None:
        key, told = self._key(name), {"Parts": parts}
        with self._answers():
            self._call("complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload=told)
        if self.size(name) != size:
            raise SendRefused(f"{self.title}: {name} has another size than was sent; have the partner remove it")

    def _uploads(self, key: str | None = None) -> list[dict]:
        """Unfinished uploads of one key, or of all below the prefix; none where it is forbidden to look."""
        prefix = self._key("") if key is None else key
        tokens = {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"}
        try:
            pages = list(self._pages("list_multipart_uploads", tokens, Prefix=prefix))
        except PermissionError:
            return []
        found = (upload for page in pages for upload in page.get("Uploads", ()))
        return [upload for upload in found if key is None or upload["Key"] == key]

    def _pages(self, method: str, tokens: dict[str, str], **arguments: Any) -> Iterator[dict]:
        while True:
            page = self._call(method, **arguments)
            yield page
            if not page.get("IsTruncated"):
                return
            arguments |= {ours: page[theirs] for ours, theirs in tokens.items()}

    def _call(self, method: str, **arguments: Any) -> dict:
        longest = self._longest(len(arguments.get("Body", b"")))
        return self._connected().call_s3(method, Bucket=self.bucket, timeout=longest, **arguments)

    def _longest(self, size: int) -> float:
        """Seconds that a request with so many bytes may take."""
        return 2 * self.patience.timeout_seconds + size / self.patience.slowest_bytes_per_second

    def _connected(self) -> Any:
        if self.filesystem is None:
            self.filesystem = S3FileSystem(
                session=_session(),
                key=self.credentials.login,
                secret=self.credentials.password,
                endpoint_url=self.credentials.endpoint_url or None,
                client_kwargs={"region_name": self.credentials.region},
                config_kwargs={
                    "connect_timeout": self.patience.timeout_seconds,
                    "read_timeout": self.patience.timeout_seconds,
                    # Trying again is done in one place, above.
                    "retries": {"total_max_attempts": 1},
                    # The digest that each part is sent with is checked by every store; newer ones by some.
                    "request_checksum_calculation": "when_required",
                    "ignore_configured_endpoint_urls": True,
                },
                use_listings_cache=False,
                skip_instance_cache=True,
            )
            self.filesystem.retries = 1
        return self.filesystem

    @contextmanager
    def _answers(self) -> Iterator[None]:
        """What the store and its libraries refuse, turned into ours."""
        try:
            yield
            return
        except (OSError, BotoCoreError, *S3_RETRYABLE_ERRORS) as refused:
            ours = self._named(refused)
        raise ours

    def _named(self, refused: Exception) -> Exception:
        answer = getattr(refused.__cause__, "response", None)
        if answer is not None:
            return self._answered(answer["ResponseMetadata"].get("HTTPStatusCode", 0), answer["Error"].get("Code", ""))
        if isinstance(refused, SSLError):
            return SendRefused(f"{self.title}: the certificate of its server does not hold; see the endpoint")
        if isinstance(refused, (TimeoutError, ConnectTimeoutError, ReadTimeoutError)):
            return Cut("silent for too long")
        if isinstance(refused, (NotConnected, ConnectionError, *S3_RETRYABLE_ERRORS)):
            return Cut("refused the connection or cut it")
        return SendRefused(f"{self.title} cannot be used ({type(refused).__name__}); see endpoint, region and bucket")

    def _answered(self, status: int, code: str) -> Exception:
        told = f"{status} {code}" if re.fullmatch(r"[A-Za-z0-9]{1,60}", code) else str(status)
        if status >= 500 or status in (408, 429) or code in _PASSING or code in _DAMAGED:
            return Cut(f"answered {told}")
        if status == 404:
            return SendRefused(f"{self.title}: bucket or object is not there ({told}); see the address")
        if status in (401, 403):
            return SendRefused(
                f"{self.title} refused the login or a right ({told}); see keys and clock, ask the partner"
            )
        return SendRefused(f"{self.title} refused ({told}); see region and endpoint, or ask the partner")
