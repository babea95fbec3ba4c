"""The store: objects of a bucket, under the keys that files of a folder's store have (`blob_path`, `name_path`).

Blobs are written only where nothing is (`If-None-Match`), where the server knows that; names by the last who writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from obstore.exceptions import AlreadyExistsError, BaseError

from rtfs_framework.api import StoreFaults, blob_path, name_path, path_digest, path_name
from rtfs_store_s3.bucket import bucket_of, cannot_create, code_of, told

if TYPE_CHECKING:
    from rtfs_store_s3.plugin import S3Settings


class S3Store:
    """Blobs and names in a bucket that is there."""

    def __init__(self, own: S3Settings, faults: StoreFaults, environ: Callable[[str], str | None]) -> None:
        self.read_only = own.read_only
        self._own, self._faults = own, faults
        self._bucket = bucket_of(own, faults, environ)

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Return which blobs are not here; each is asked for by its head."""
        wanted = [self._faults.digest(digest) for digest in digests]
        with told(self._own, self._faults):
            return [digest for digest in wanted if not self._has(blob_path(digest))]

    def get(self, digest: str, most: int) -> bytes | None:
        """Return a blob, None where there is none; bytes of another digest are refused."""
        data = self._read(f"the blob {digest}", blob_path(self._faults.digest(digest)), most)
        if data is not None and sha256(data).hexdigest() != digest:
            raise self._faults.damaged(f"what came as the blob {digest} is another, or was cut off")
        return data

    def put(self, digest: str, data: bytes) -> None:
        """Write a blob where there is none; one that was damaged is mended."""
        self._writable()
        self._faults.blob(digest, data)
        path = blob_path(digest)
        with told(self._own, self._faults):
            try:
                self._bucket.put(path, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                if self._bytes(path, len(data)) != data:
                    self._bucket.put(path, data, use_multipart=False)
            except BaseError as error:
                if not cannot_create(error):
                    raise
                self._bucket.put(path, data, use_multipart=False)  # the same bytes, whoever was there before

    def read(self, name: str, most: int) -> bytes | None:
        """Return what a name points to, None where there is no such name."""
        return self._read(f"the name {name}", name_path(self._faults.name(name)), most)

    def point(self, name: str, data: bytes) -> None:
        """Set a name; the last one counts."""
        self._writable()
        path = name_path(self._faults.name(name))
        with told(self._own, self._faults):
            self._bucket.put(path, data, use_multipart=False)

    def names(self, prefix: str) -> Iterator[str]:
        """Return the names that begin with a prefix, sorted."""
        folder = self._faults.prefix(prefix).rpartition("/")[0]
        found = map(path_name, self._keys(f"names/{folder}"))
        return iter(sorted(name for name in found if name is not None and name.startswith(prefix)))

    def blobs(self) -> Iterator[str]:
        """Return the digests of all blobs."""
        return iter([digest for path in self._keys("blobs") if (digest := path_digest(path)) is not None])

    def forget(self, names: Iterable[str], digests: Iterable[str]) -> None:
        """Delete names, then blobs, one by one: not every server deletes several at once."""
        self._writable()
        paths = [name_path(self._faults.name(name)) for name in names]
        paths += [blob_path(self._faults.digest(digest)) for digest in digests]
        with told(self._own, self._faults):
            for path in paths:
                with suppress(FileNotFoundError):
                    self._bucket.delete(path)

    def close(self) -> None:
        """Do nothing: the client ends with the store."""

    def _keys(self, folder: str) -> list[str]:
        with told(self._own, self._faults):
            return [each["path"] for page in self._bucket.list(folder.rstrip("/")) for each in page]

    def _has(self, path: str) -> bool:
        try:
            self._bucket.head(path)
        except FileNotFoundError:
            return False
        return True

    def _read(self, what: str, path: str, most: int) -> bytes | None:
        with told(self._own, self._faults):
            try:
                found = self._bucket.get(path)
            except FileNotFoundError as error:
                if code_of(error) == "NoSuchBucket":
                    raise
                return None
            self._faults.within(what, found.meta["size"], most)
            data = bytearray()
            for piece in found.stream():  # whatever size was told, no more than this is taken
                data += piece
                self._faults.within(what, len(data), most)
            return bytes(data)

    def _bytes(self, path: str, most: int) -> bytes | None:
        found = self._bucket.get(path)
        return bytes(found.bytes()) if found.meta["size"] == most else None

    def _writable(self) -> None:
        if self.read_only:
            raise self._faults.read_only()
