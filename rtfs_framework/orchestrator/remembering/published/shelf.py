"""The shelf: published programs that were fetched to this machine, and what of them may run in place of a body.

In: a function's interface and a target. Out: a body that was compiled here, or the reason why there is none. Files
prove nothing: signature, digest, trust and interface are looked at whenever one of the files, or the list of keys, is
another than before; what was compiled is kept sealed with this user's key, under the digest of the IR and of this
compiler.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.private import private_folder
from rtfs_framework.api.targets import L4CacheHit
from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.published.face import face_digest
from rtfs_framework.lang.published.rows import MOST_BYTES, PublishedError
from rtfs_framework.lang.published.version import FORMAT
from rtfs_framework.orchestrator.remembering.artifacts.build import build
from rtfs_framework.orchestrator.remembering.artifacts.seal import Seal, SealError
from rtfs_framework.orchestrator.remembering.published.keys import ID_DIGITS, KeyRing
from rtfs_framework.orchestrator.remembering.published.pointers import (
    MOST_POINTER,
    Pointer,
    opened,
    partition,
    prefix,
)
from rtfs_framework.orchestrator.remembering.published.trouble import PublishingError

if TYPE_CHECKING:
    from rtfs_framework.kernel.other_body import OtherBody
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.lang.types.names import Lookup

FOLDER = "published"
_INDEX, _BLOBS, _MADE, _RECORD = "index", "blobs", "compiled", ".pointer"
_DIGEST = 64
_MOST_BODIES = 256


@attrs.frozen(slots=True, eq=False)
class Found:
    """A body, and the pointer on which it rests."""

    body: OtherBody
    pointer: Pointer

    @property
    def target(self) -> L4CacheHit:
        """The target that names exactly this."""
        return L4CacheHit(self.pointer.artifact, self.pointer.key)


@attrs.define(slots=True, eq=False)
class Shelf:
    """The published programs of one folder, for one trust domain."""

    folder: Path
    ring: KeyRing
    salt: str = ""
    seal: Callable[[], Seal] | None = None
    """Makes the seal of what was compiled; None where nothing is kept."""
    _bodies: dict[tuple[str, L4CacheHit], tuple[Any, Found | str]] = attrs.field(factory=dict, init=False)
    _faces: dict[int, tuple[FunctionSignature, Lookup, str]] = attrs.field(factory=dict, init=False)
    _root: str = attrs.field(init=False)
    _ring_file: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Know where things are."""
        self._root, self._ring_file = str(self.folder), str(self.ring.list_file)

    def put(self, pointer: Pointer, record: bytes, blob: bytes) -> None:
        """Keep a program that was fetched and verified.

        Raises:
            PublishingError: E0768, the folder cannot be written.
        """
        try:
            self._write(self._place(_BLOBS, pointer.artifact), blob)
            self._write(f"{self._index(pointer.face)}/{pointer.artifact}.{pointer.key}{_RECORD}", record)
        except OSError as error:
            wrong = f"{self.folder} cannot be written: {error.strerror or error}"
            raise PublishingError("E0768", wrong, "look at the folder (RTFS_HOME)") from None

    def pointers(self, face: str, refused: list[str] | None = None) -> list[Pointer]:
        """Return what is trusted of an interface, the newest first; why others are not goes to `refused`."""
        listed, found = self.ring.listed(), list[Pointer]()
        for name, record in self._records(face):
            try:
                found.append(opened(record, f"{prefix(self.salt, face)}{name}", listed, self.salt))
            except PublishedError as error:  # noqa: PERF203 - a few
                if refused is not None:
                    refused.append(error.reason)
        return sorted(found, key=lambda each: (-each.time, each.artifact, each.key))

    def faces(self) -> list[str]:
        """Return the interfaces of which there is anything, trusted or not."""
        return _listed(self._place(_INDEX, partition(self.salt)))

    def program(self, digest: str, key: str = "") -> Artifact:
        """Return the whole program whose digest begins so, signed by that key, if one is named.

        Raises:
            PublishingError: E0768, none is here that is trusted, or several, or it cannot be used.
        """
        refused: list[str] = []
        fits = [
            each
            for face in self.faces()
            if face.startswith(digest)
            for each in self.pointers(face, refused)
            if each.whole and key in ("", each.key)
        ]
        if len({each.artifact for each in fits}) != 1:
            wrong = "several programs here begin" if fits else "no whole program that is trusted here begins"
            why = f": {'; '.join(dict.fromkeys(refused))}" if refused else ""
            way_out = "rtfs fetch gets it, and says what it got; a function stands for another by the target l4"
            raise PublishingError("E0768", f"{wrong} with '{digest[:80]}'{why}", way_out)
        try:
            return self.load(fits[0])
        except (PublishedError, LimitError) as error:
            raise PublishingError("E0768", f"{digest[:80]} cannot be used: {error}", "rtfs fetch it again") from None

    def lacks(self, target: L4CacheHit) -> str:
        """Return why the function that a target names by digest and key cannot run here any more; "" where it can."""
        refused: list[str] = []
        try:
            for face in self.faces():
                for each in self.pointers(face, refused):
                    if (each.artifact, each.key) == (target.pointer, target.signature):
                        self.load(each)
                        return ""
            why = "; ".join(dict.fromkeys(refused)) or "it is not here"
        except (PublishedError, LimitError, PublishingError) as error:
            why = getattr(error, "problem", None) or str(error)
        return f"the published program {target.pointer[:12]} that ran cannot run again: {why}"

    def names(self, beginning: str) -> Iterator[str]:
        """Return the places of all pointers that begin so, as a store does."""
        found = (f"{prefix(self.salt, face)}{name}" for face in self.faces() for name, _ in self._records(face))
        return (name for name in found if name.startswith(beginning))

    def read(self, name: str, most: int) -> bytes | None:
        """Return the record of a place, None where it cannot be read."""
        face, artifact, key = name.split("/")[-3:]
        return _content(f"{self._index(face)}/{artifact}.{key}{_RECORD}", most)

    def get(self, digest: str, most: int) -> bytes | None:
        """Return what lies under a digest, whatever it is; None where it is not here, or larger."""
        return _content(self._place(_BLOBS, digest), most)

    def find(self, function: FunctionSignature, lookup: Lookup, target: L4CacheHit) -> Found | str:
        """Return the body that a target means for a function, or why there is none."""
        try:
            face = self._face(function, lookup)
            state = (_state(self._ring_file), _state(self._index(face)))
            key = (face, target)
            known = self._bodies.get(key)
            if known is None or known[0] != state or (isinstance(known[1], Found) and not self._is_there(known[1])):
                if len(self._bodies) >= _MOST_BODIES:
                    self._bodies.clear()
                known = self._bodies[key] = state, self._found(face, function, lookup, target)
            return known[1]
        except (PublishedError, PublishingError) as error:
            return getattr(error, "problem", None) or str(error)

    def load(self, pointer: Pointer) -> Artifact:
        """Return the artifact of a pointer that was verified just now: compiled here, or taken from what was.

        Raises:
            PublishedError: The IR is not here, was changed, is of another format, is no program, or has another
                interface than the pointer says.
            LimitError: It takes too much to compile.
        """
        if pointer.format != FORMAT:
            raise PublishedError(f"its format is {pointer.format}, and {FORMAT} is read here")
        blob = _content(self._place(_BLOBS, pointer.artifact), MOST_BYTES)
        if blob is None or len(blob) != pointer.size or sha256(blob).hexdigest() != pointer.artifact:
            raise PublishedError("its program is not here" if blob is None else "its program was changed")
        return self._kept(pointer) or self._compiled(pointer, blob)

    def _found(self, face: str, function: FunctionSignature, lookup: Lookup, target: L4CacheHit) -> Found | str:
        refused: list[str] = []
        fits = [
            each
            for each in self.pointers(face, refused)
            if not each.whole and target.pointer in ("", each.artifact) and target.signature in ("", each.key)
        ]
        for pointer in fits:
            try:
                return Found(self._body(pointer, function, lookup), pointer)
            except (PublishedError, LimitError, RecursionError) as error:  # noqa: PERF203 - a few
                refused.append(str(error))
        why = f": {'; '.join(dict.fromkeys(refused))}" if refused else ""
        return f"no trusted program is published here for the interface of {function.name}{why}"

    def _body(self, pointer: Pointer, function: FunctionSignature, lookup: Lookup) -> OtherBody:
        from rtfs_framework.kernel.checkers import make_checker
        from rtfs_framework.kernel.other_body import OtherBody

        artifact = self.load(pointer)
        if function.returns is None:
            return OtherBody(artifact, function.name, lambda _: None)
        check = make_checker(function.returns, lookup, {})

        def misfit(value: Any) -> str | None:
            try:
                check(value)
            except ProgramError as error:
                return str(error)
            return None

        return OtherBody(artifact, function.name, misfit)

    def _is_there(self, found: Found) -> bool:
        """Tell whether the program's file is as it was when it was loaded; a body that was changed is found out."""
        return os.path.exists(self._place(_BLOBS, found.pointer.artifact))  # noqa: PTH110 - asked for every call

    def _kept(self, pointer: Pointer) -> Artifact | None:
        """Return what was compiled here for a pointer, after its interface was found to be what the pointer says."""
        data = None if self.seal is None else _content(self._made_of(pointer), 16 * MOST_BYTES)
        if data is None or self.seal is None:
            return None
        from rtfs_framework.lang.codegen.stored import load_artifact

        try:
            return load_artifact(bytes(self.seal().open(_purpose(pointer), data)))
        except (SealError, RecursionError):
            return None

    def _compiled(self, pointer: Pointer, blob: bytes) -> Artifact:
        from rtfs_framework.lang.codegen.stored import dump_artifact
        from rtfs_framework.orchestrator.remembering.published.compiling import compiled

        made = compiled(blob)
        check_face(made, pointer)
        if self.seal is not None:
            try:
                self._write(self._made_of(pointer), self.seal().close(_purpose(pointer), dump_artifact(made)))
            except (OSError, SealError, TypeError, RecursionError):  # it is compiled again the next time
                return made
        return made

    def _made_of(self, pointer: Pointer) -> str:
        return self._place(_MADE, f"{pointer.artifact}.{pointer.face}")

    def _face(self, function: FunctionSignature, lookup: Lookup) -> str:
        """Return the digest of a function's interface; that of the functions asked for lately is known."""
        known = self._faces.get(id(function))
        if known is not None and known[0] is function and known[1] is lookup:
            return known[2]
        face = face_digest(function, lookup)
        if len(self._faces) >= _MOST_BODIES:
            self._faces.clear()
        self._faces[id(function)] = function, lookup, face
        return face

    def _place(self, *parts: str) -> str:
        return "/".join(
            (self._root, *parts)
        )  # as text: a path is looked at for every call, and a Path is ten times dearer

    def _index(self, face: str) -> str:
        return self._place(_INDEX, partition(self.salt), face)

    def _records(self, face: str) -> Iterator[tuple[str, bytes]]:
        folder = self._index(face)
        for name in _listed(folder):
            stem = name.removesuffix(_RECORD)
            artifact, _, key = stem.partition(".")
            if name.endswith(_RECORD) and len(artifact) == _DIGEST and len(key) == ID_DIGITS:
                yield f"{artifact}/{key}", _content(f"{folder}/{name}", MOST_POINTER) or b""

    @staticmethod
    def _write(place: str, data: bytes) -> None:
        path = Path(place)
        private_folder(path.parent)
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(file, "wb") as opened_file:
                opened_file.write(data)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def check_face(artifact: Artifact, pointer: Pointer) -> None:
    """Refuse a program whose interface is another than its pointer says.

    Raises:
        PublishedError: It is.
    """
    if pointer.whole:
        same = pointer.face == pointer.artifact
    else:
        signature = next((each for each in artifact.signatures if each.name == pointer.name), None)
        same = signature is not None and face_digest(signature, artifact.types.get) == pointer.face
    if not same:
        raise PublishedError("its interface is another than its pointer says")


def _purpose(pointer: Pointer) -> bytes:
    """Return what a compiled program is sealed for: that its interface was looked at is said, too."""
    said = ascii((pointer.artifact, pointer.face, pointer.name, pointer.whole, build()))
    return f"published {said}".encode()


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names alone
    except (FileNotFoundError, NotADirectoryError):
        return []


def _state(path: str) -> tuple[int, ...] | None:
    try:
        known = os.stat(path)  # noqa: PTH116 - for every call
    except OSError:
        return None
    return known.st_ino, known.st_mtime_ns, known.st_size


def _content(path: str, most: int) -> bytes | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - by a third faster
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(size, most) + 1)  # no more room is made than it needs
    except OSError:
        return None
    return data if len(data) <= min(size, most) else None
