"""Fetching a file of a model: what was begun is continued, what arrived is verified, and only then it has its name.

In: an address, the SHA-256 of the whole, where it goes. Out: the file, or an error that says what to do. What has
arrived lies in `NAME.part` beside it, with `NAME.part.json`, which says of what it is a part: Ctrl-C, a lost
connection or a lost machine cost no more than what was not written yet. The digest is what identifies a file: its part
may be continued from another address.

The HTTP is httpx2's, an extra of this distribution (and a dependency of the `openai` provider): time-outs of every
step, TLS, proxies. Ours is what it has no notion of: ranges, verification, and where requests may go.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import attrs

from rtfs_framework.api.endpoints import BadEndpoint, Endpoint, read_endpoint
from rtfs_framework.cli.problems import InputError, problem

if TYPE_CHECKING:
    from types import ModuleType

    from httpx2 import Client, Response

CANNOT, NO_CLIENT = "E0960", "E0961"
USUAL_MOST = 64 << 30
"""Bytes that a file may have unless somebody says more."""
_BLOCK = 1 << 20
_TRIES = 5
"""Requests in a row that bring nothing."""
_REDIRECTS = 5
_SPARE = 64 << 20
"""Bytes that stay free on a disk."""
_CONNECT, _STALL = 15.0, 60.0
"""Seconds."""
_QUERY = re.compile(r"[!-~]*", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
_ETAG = re.compile(r'"[!#-~]{0,256}"', re.ASCII)
_OK, _PARTIAL, _NOT_THAT_RANGE = 200, 206, 416
_MOVED = frozenset({301, 302, 303, 307, 308})
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


class _AgainError(Exception):
    """A request that brought less than it should; another one may bring the rest."""


@attrs.frozen(slots=True, kw_only=True)
class Pulled:
    """What came of it."""

    path: Path
    size: int
    resumed: int = 0
    """Bytes that were there before."""
    was_there: bool = False


def http() -> ModuleType:
    """Return the HTTP client.

    Raises:
        InputError: E0961, it is not installed.
    """
    try:
        import httpx2
    except ImportError as error:
        message = "fetching needs httpx2, which is not installed"
        raise problem(NO_CLIENT, message, "pip install 'rtfs-framework[models]'") from error
    return httpx2


def server_of(url: str, *, loopback: bool = True) -> Endpoint:
    """Return where an address leads, if a file may be fetched from there.

    Raises:
        InputError: E0960, it is none; it holds a name or password; or it is plain http to another machine.
    """
    text, _, query = url.partition("?")
    try:
        where = read_endpoint(text)
    except BadEndpoint as error:
        raise problem(CANNOT, f"{text!r} {error}", "such as https://models.example/phi.gguf", exit_code=2) from error
    if not _QUERY.fullmatch(query):
        message = f"{text!r} has a query with blanks, controls or letters beyond ASCII"
        raise problem(CANNOT, message, "write them as %20 and the like", exit_code=2)
    if where.scheme == "http" and not (where.is_loopback and loopback):
        message = f"{where.origin} is asked over plain http, where anybody on the way can change what arrives"
        raise problem(CANNOT, message, "use https; only this machine may be asked over http", exit_code=2)
    return where


def file_name(url: str) -> str:
    """Return the name that a file has by its address.

    Raises:
        InputError: E0960, the address names none.
    """
    server_of(url)
    name = urlsplit(url).path.rpartition("/")[2]
    if not name or name.startswith("."):
        text = url.partition("?")[0]  # what follows may be a key
        raise problem(CANNOT, f"{text!r} does not end in the name of a file", "name one: --out FILE", exit_code=2)
    return name


@attrs.define(slots=True, eq=False, kw_only=True)
class Pull:
    """One file that is fetched."""

    url: str
    sha256: str
    path: Path
    most: int = USUAL_MOST
    tell: Callable[[int, int | None], None] = lambda _done, _total: None
    """Told how many bytes are there, and of how many, where that is known."""
    pause: Callable[[float], None]
    """Waits for so many seconds before another try."""
    _digest: Any = attrs.field(factory=hashlib.sha256, init=False)
    _done: int = attrs.field(default=0, init=False)
    _total: int | None = attrs.field(default=None, init=False)
    _mark: str = attrs.field(default="", init=False)
    """The strong ETag of what the part is of."""

    @property
    def part(self) -> Path:
        """Where what has arrived lies."""
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def note(self) -> Path:
        """What says of what it is a part."""
        return self.path.with_name(f"{self.path.name}.part.json")

    def run(self) -> Pulled:
        """Fetch it.

        Raises:
            InputError: E0960, it cannot be had, or is another file than was asked for.
            OSError: It cannot be written.
        """
        server_of(self.url)
        if self.path.exists():
            return self._as_it_is()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _held(self.part) as file:
            resumed = self._recall(file)
            self._fetch_or_leave(file)
            if resumed and not self._is_right():  # the part was of something else, whatever its note said
                resumed = 0
                self._begin_anew(file)
                self._fetch_or_leave(file)
            if not self._is_right():
                self._forget()
                raise self._wrong()
            os.fsync(file.fileno())
            self.part.replace(self.path)
        self.note.unlink(missing_ok=True)
        _sync(self.path.parent)
        return Pulled(path=self.path, size=self._done, resumed=resumed)

    def _as_it_is(self) -> Pulled:
        if not self.path.is_file():
            raise problem(CANNOT, f"{self.path} is there already and is no file", "name another place: --out FILE")
        with self.path.open("rb") as file:
            found = _digest_of(file, self._digest)
        if self._is_right():
            return Pulled(path=self.path, size=found, was_there=True)
        message = f"{self.path} is there already and is another file: SHA-256 {self._digest.hexdigest()}"
        raise problem(CANNOT, message, "delete it, or name another place: --out FILE")

    def _is_right(self) -> bool:
        return bool(self._digest.hexdigest() == self.sha256)

    def _wrong(self) -> InputError:
        message = f"what {server_of(self.url).origin} sent has SHA-256 {self._digest.hexdigest()}, not {self.sha256}"
        return problem(CANNOT, message, "nothing was kept; check the digest where the file is published")

    def _recall(self, file: IO[bytes]) -> int:
        """Go on from what is there, if it is of the file that is wanted; return how much that is."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            known = note["sha256"] == self.sha256
            self._mark = _strong(str(note["etag"])) if note["url"] == self.url else ""
        except (OSError, ValueError, KeyError, TypeError):
            known = False
        if not known:
            self._begin_anew(file)
            return 0
        self._done = _digest_of(file, self._digest)
        return self._done

    def _begin_anew(self, file: IO[bytes]) -> None:
        file.seek(0)
        file.truncate()
        self._digest, self._done, self._total, self._mark = hashlib.sha256(), 0, None, ""
        self._write_note()

    def _write_note(self) -> None:
        note = {"url": self.url, "sha256": self.sha256, "etag": self._mark}
        self.note.write_text(json.dumps(note), encoding="utf-8")

    def _forget(self) -> None:
        for path in (self.part, self.note):
            path.unlink(missing_ok=True)

    def _fetch_or_leave(self, file: IO[bytes]) -> None:
        """Bring what is missing; where nothing has ever arrived, nothing is left behind."""
        try:
            self._fetch(file)
        except BaseException:
            if not self._done:
                self._forget()
            raise

    def _fetch(self, file: IO[bytes]) -> None:
        """Bring what is missing: as many requests as it takes, while they bring anything."""
        client, tries = http(), 0
        timeout = client.Timeout(_STALL, connect=_CONNECT)
        with client.Client(follow_redirects=False, timeout=timeout) as session:
            while True:
                before = self._done
                try:
                    with self._answer(session) as response:
                        self._take(response, file)
                except (_AgainError, client.TransportError) as error:
                    tries = 1 if self._done > before else tries + 1
                    if tries >= _TRIES:
                        message = f"{server_of(self.url).origin}: {error or type(error).__name__}"
                        raise problem(CANNOT, message, f"try again later: {self._kept()}") from error
                    self.pause(min(2.0**tries, 30.0))
                else:
                    return

    def _kept(self) -> str:
        if not self._done:
            return "nothing has arrived yet"
        return f"{self._done:,} bytes are kept in {self.part.name}, and the same command goes on from there"

    @contextmanager
    def _answer(self, session: Client) -> Iterator[Response]:
        """Ask for what is missing, wherever that is."""
        url, local = self.url, server_of(self.url).is_loopback
        headers = {"Accept-Encoding": "identity"}
        if self._done:
            headers["Range"] = f"bytes={self._done}-"
            if self._mark:
                headers["If-Range"] = self._mark
        for _ in range(_REDIRECTS + 1):
            server_of(url, loopback=local)
            with session.stream("GET", url, headers=headers) as response:
                if response.status_code not in _MOVED:
                    yield response
                    return
                url = _moved(url, response.headers.get("location", ""))
        message = f"{self.url.partition('?')[0]} leads from one address to the next"
        raise problem(CANNOT, message, "name the address of the file itself")

    def _take(self, response: Response, file: IO[bytes]) -> None:
        """Write what a response brings, after what is there or in its place."""
        self._judge(response)
        if response.status_code == _NOT_THAT_RANGE:
            if self._total_of(response) == self._done:
                return  # all of it is there
            self._begin_anew(file)
            raise _AgainError("the file is another one now")
        if response.status_code == _OK and self._done:
            self._begin_anew(file)
        mark = _strong(response.headers.get("etag", ""))
        if mark and mark != self._mark:
            self._mark = mark
            self._write_note()
        self._total = self._total_of(response)
        self._check_size(self._total)
        file.seek(self._done)
        for block in response.iter_raw():  # as it arrives: a block that is waited for is lost with the connection
            file.write(block)
            self._digest.update(block)
            self._done += len(block)
            self._check_size(self._done)
            self.tell(self._done, self._total)
        file.flush()
        if self._total is not None and self._done < self._total:
            raise _AgainError(f"the connection ended at {self._done:,} of {self._total:,} bytes")

    def _judge(self, response: Response) -> None:
        """Refuse what is no answer to the request.

        Raises:
            InputError: E0960, there is no such file, or it may not be had.
            _AgainError: It may be had later.
        """
        status = response.status_code
        origin = server_of(self.url).origin
        if status in _LATER:
            raise _AgainError(f"the server answered {status}")
        if status not in (_OK, _PARTIAL, _NOT_THAT_RANGE):
            raise problem(CANNOT, f"{origin} answered {status} for {urlsplit(self.url).path}", "check the address")
        if response.headers.get("content-encoding", "identity") not in ("", "identity"):
            raise problem(CANNOT, f"{origin} sent the file compressed, which was not asked for", "use another server")
        if status == _PARTIAL and _start_of(response.headers.get("content-range", "")) != self._done:
            raise problem(CANNOT, f"{origin} sent another part than was asked for", f"delete {self.part} and try again")

    def _total_of(self, response: Response) -> int | None:
        """Return how many bytes the whole has, None where the server does not say."""
        whole = response.headers.get("content-range", "").rpartition("/")[2]
        if response.status_code in (_PARTIAL, _NOT_THAT_RANGE):
            return _count(whole)
        return _count(response.headers.get("content-length", ""))

    def _check_size(self, size: int | None) -> None:
        if size is None:
            return
        if size > self.most:
            self._forget()
            message = f"the file has {size:,} bytes or more, and at most {self.most:,} are taken"
            raise problem(CANNOT, message, "allow more: --max-size SIZE")
        if size == self._total and size - self._done + _SPARE > (free := shutil.disk_usage(self.path.parent).free):
            message = f"{size - self._done:,} bytes are missing, and {free:,} are free in {self.path.parent}"
            raise problem(CANNOT, message, "free some space, or name another place: --out FILE")


@contextmanager
def _held(part: Path) -> Iterator[IO[bytes]]:
    """Open a part for this process alone.

    Raises:
        InputError: E0960, another process has it.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(part, flags, 0o644), "r+b", buffering=0) as file:
        with suppress(ImportError):
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise problem(CANNOT, f"{part} is being written by another process", "wait for it") from error
        yield file


def _digest_of(file: IO[bytes], digest: Any) -> int:
    """Add a file's bytes to a digest; return how many there are."""
    file.seek(0)
    size = 0
    while block := file.read(_BLOCK):
        digest.update(block)
        size += len(block)
    return size


def _start_of(content_range: str) -> int | None:
    """Return where the part begins of which a header speaks (`bytes 5-9/10`)."""
    unit, _, rest = content_range.partition(" ")
    start = rest.partition("-")[0]
    return _count(start) if unit == "bytes" else None


def _count(text: str) -> int | None:
    """Return the number of bytes that a header speaks of, None where it is none."""
    return int(text) if _DIGITS.fullmatch(text) else None


def _strong(etag: str) -> str:
    """Return a mark that can be sent back and speaks of every byte, "" for any other."""
    return etag if _ETAG.fullmatch(etag) else ""


def _moved(url: str, location: str) -> str:
    """Return where a redirect leads; `server_of` judges it.

    Raises:
        InputError: E0960, that is no address.
    """
    try:
        return urljoin(url, location)
    except ValueError as error:
        message = f"{server_of(url).origin} points to what is no address ({error})"
        raise problem(CANNOT, message, "name the address of the file itself") from error


def _sync(folder: Path) -> None:
    """Let a file's new name outlive the machine, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
