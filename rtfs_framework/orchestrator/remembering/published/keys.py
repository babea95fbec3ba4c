"""Keys that sign, keys that are trusted, and keys that never are again.

In: the folder of a user's keys. Out: signatures, and whether one is good. A private key lies in a file of mode 0600
(PKCS 8, encrypted where RTFS_KEY_PASSPHRASE is set) and is never shown; `trusted.json` beside it lists public keys and
revocations. A key's id is the first 40 hexadecimal digits of the SHA-256 of its 32 public bytes. Ed25519 is RFC 8032's,
by the library `cryptography`, which is imported when a key is first used.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.private import private_folder
from rtfs_framework.orchestrator.remembering.published.trouble import PublishingError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FOLDER, TRUSTED, SUFFIX = "keys", "trusted.json", ".key"
PASSPHRASE = "RTFS_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
ID_DIGITS, PUBLIC_BYTES = 40, 32
PREFIX = "rtfs-key-1"
_MOST_FILE = 1 << 20
_MOST_NAME = 64
_MOST_VERIFIED = 1_024


@attrs.frozen(slots=True, kw_only=True)
class PublicKey:
    """A public key, whose it is said to be, and whether it is trusted."""

    id: str
    public: bytes
    name: str = ""
    since: float = 0.0
    """When it was entered: seconds since 1970."""
    revoked: float | None = None
    """When it was revoked; None where it was not."""
    reason: str = ""

    @property
    def text(self) -> str:
        """One line that others can hand to `rtfs keys trust`."""
        return f"{PREFIX} {b64encode(self.public).decode()} {self.name}".rstrip()


@attrs.frozen(slots=True, eq=False)
class KeyRing:
    """The keys of one folder."""

    folder: Path
    trusted_file: Path | None = None
    """Another list of trusted keys than that of the folder."""
    _latest: list[tuple[bytes, dict[str, PublicKey]]] = attrs.field(factory=list, init=False, repr=False)
    """What the list held when it was read last, and its keys: of one list or none."""

    @property
    def list_file(self) -> Path:
        """Where trusted keys and revocations are listed."""
        return self.trusted_file or self.folder / TRUSTED

    def listed(self) -> dict[str, PublicKey]:
        """Return all keys that are trusted or revoked, by id.

        Raises:
            PublishingError: E0761, the list cannot be read.
        """
        try:
            text = _bounded(self.list_file)
            for read, keys in self._latest:
                if read == text:
                    return dict(keys)
            told: Any = json.loads(text)
            found = [_read(row) for row in told["keys"]]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            wrong = f"{self.list_file} cannot be read as a list of keys: {error}"
            raise PublishingError(
                "E0761", wrong, "mend it, or move it away and trust keys anew: rtfs keys trust"
            ) from None
        made = {key.id: key for key in found}
        self._latest[:] = [(text, made)]
        return dict(made)

    def trusted(self) -> dict[str, PublicKey]:
        """Return the keys that count: listed and not revoked."""
        return {id_: key for id_, key in self.listed().items() if key.revoked is None}

    def enter(self, key: PublicKey) -> None:
        """Trust a key from now on.

        Raises:
            PublishingError: E0762, it was revoked.
        """
        with self._changing():
            known = self.listed()
            before = known.get(key.id)
            if before is not None and before.revoked is not None:
                wrong = f"the key {key.id} was revoked, and never counts again"
                raise PublishingError("E0762", wrong, "use another key")
            self._write({**known, key.id: key})

    def revoke(self, id_: str, now: float, reason: str = "") -> PublicKey:
        """Never trust a key again, whatever it has signed and whenever; its revocation stays listed.

        Raises:
            PublishingError: E0763, the id is the beginning of no key, or of several.
        """
        with self._changing():
            known = self.listed()
            key = self.of(id_, known)
            made = attrs.evolve(key, revoked=now if key.revoked is None else key.revoked, reason=reason or key.reason)
            self._write({**known, key.id: made})
        return made

    def of(self, id_: str, known: Mapping[str, PublicKey] | None = None) -> PublicKey:
        """Return the listed key whose id begins so, or that has this name.

        Raises:
            PublishingError: E0763, there is none, or several.
        """
        listed = self.listed() if known is None else known
        if id_ in listed:  # a whole id is one key's, whatever others are called
            return listed[id_]
        fits = [key for key in listed.values() if id_ and (key.id.startswith(id_) or key.name == id_)]
        if len(fits) == 1:
            return fits[0]
        many = "several keys fit" if fits else "no key fits"
        raise PublishingError("E0763", f"{many} '{id_[:80]}'", "rtfs keys list shows them")

    def new(self, name: str, environ: Callable[[str], str | None], now: float) -> PublicKey:
        """Make a key in a file of its own and trust it.

        Raises:
            PublishingError: E0764, the name is none or taken, or the file cannot be made.
        """
        if not name or len(name) > _MOST_NAME or not all(each.isalnum() or each in "-_" for each in name):
            raise PublishingError("E0764", f"'{name[:80]}' is no name of a key", "use letters, digits, - and _")
        path, library = self.folder / f"{name}{SUFFIX}", signing()
        made = library.Ed25519PrivateKey.generate()
        try:
            private_folder(self.folder)
            _write_new(path, library.private_bytes(made, environ(PASSPHRASE)))
        except FileExistsError:
            raise PublishingError("E0764", f"{path} is there already", "choose another name") from None
        except OSError as error:
            raise PublishingError(
                "E0764", f"{path} cannot be made: {error.strerror or error}", "look at the folder"
            ) from None
        key = public_key(library.public_bytes(made.public_key()), name, now)
        self.enter(key)
        return key

    def signer(self, name: str, environ: Callable[[str], str | None]) -> Signer:
        """Return the key of a name, ready to sign.

        Raises:
            PublishingError: E0765, there is none, others could read it, or the passphrase is not its own.
        """
        path = self.folder / f"{name}{SUFFIX}"
        way_out = f"rtfs keys new {name}" if not path.exists() else f"see that {PASSPHRASE} is right"
        try:
            library = signing()
            private = library.load(_read_private(path, name), environ(PASSPHRASE))
        except (OSError, ValueError, TypeError) as error:
            said = getattr(error, "strerror", None) or (
                str(error) if isinstance(error, OSError) else "it does not open"
            )
            raise PublishingError("E0765", f"the key '{name[:80]}' cannot be used: {said}", way_out) from None
        return Signer(public_key(library.public_bytes(private.public_key()), name, 0.0), private)

    def own(self) -> list[str]:
        """Return the names of the private keys that are here."""
        return sorted(path.stem for path in self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Let one process change the list at a time, where the system can: no revocation is lost to another change."""
        lock = -1
        try:
            import fcntl

            private_folder(self.list_file.parent, ours=self.trusted_file is None)
            path = self.list_file.with_name(f"{self.list_file.name}.lock")
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
        except ImportError:
            pass
        except OSError as error:
            if lock >= 0:
                os.close(lock)
            wrong = f"{self.list_file} cannot be locked: {error.strerror or error}"
            raise PublishingError("E0761", wrong, "look at the folder") from None
        try:
            yield
        finally:
            if lock >= 0:
                os.close(lock)

    def _write(self, keys: Mapping[str, PublicKey]) -> None:
        rows = [_row(key) for key in sorted(keys.values(), key=lambda key: key.id)]
        text = json.dumps({"version": 1, "keys": rows}, indent=1) + "\n"
        path = self.list_file
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            private_folder(path.parent, ours=self.trusted_file is None)
            _write_new(fresh, text.encode())
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise PublishingError(
                "E0761", f"{path} cannot be written: {error.strerror or error}", "look at the folder"
            ) from None


@attrs.frozen(slots=True, eq=False)
class Signer:
    """A private key that is open; neither shown nor written anywhere."""

    key: PublicKey
    _private: Ed25519PrivateKey = attrs.field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message: 64 bytes."""
        return self._private.sign(message)


def read_public(text: str, name: str, now: float) -> PublicKey:
    """Return the key of a line that `PublicKey.text` made.

    Raises:
        PublishingError: E0766, it is none.
    """
    words = text.split()
    public = _public_of(words)
    if public is None:
        way_out = f"such a line begins with {PREFIX}; rtfs keys list --public shows it"
        raise PublishingError("E0766", "this is no public key", way_out)
    said = name or (words[2] if len(words) > 2 else "")
    if len(said) > _MOST_NAME or not said.isprintable():
        raise PublishingError("E0766", "the key's name is too long or cannot be printed", "give it one: --name NAME")
    return public_key(public, said, now)


def _public_of(words: list[str]) -> bytes | None:
    if len(words) not in (2, 3) or words[0] != PREFIX:
        return None
    try:
        public = b64decode(words[1], validate=True)
    except ValueError:
        return None
    return public if len(public) == PUBLIC_BYTES and b64encode(public).decode() == words[1] else None


def public_key(public: bytes, name: str, now: float) -> PublicKey:
    """Return a public key with its id."""
    return PublicKey(id=sha256(public).hexdigest()[:ID_DIGITS], public=public, name=name, since=now)


def is_signed(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Tell whether a key has signed a message."""
    return signing().verify(key.public, message, signature)


def _row(key: PublicKey) -> dict[str, Any]:
    row = {"id": key.id, "public": b64encode(key.public).decode(), "name": key.name, "since": key.since}
    return row if key.revoked is None else {**row, "revoked": key.revoked, "reason": key.reason}


def _read(row: Any) -> PublicKey:
    made = public_key(b64decode(row["public"], validate=True), str(row.get("name", "")), float(row.get("since", 0)))
    if made.id != row["id"] or len(made.public) != PUBLIC_BYTES:
        raise ValueError("a key whose id is another")
    revoked = row.get("revoked")
    return made if revoked is None else attrs.evolve(made, revoked=float(revoked), reason=str(row.get("reason", "")))


def _write_new(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    file = os.open(path, flags, 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


def _bounded(path: Path) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - by a third faster, and it is read before every use of a program
        if os.fstat(file.fileno()).st_size > _MOST_FILE:
            raise ValueError("it is too large")
        return file.read(_MOST_FILE + 1)


def _read_private(path: Path, name: str) -> bytes:
    if not name or path.name != f"{name}{SUFFIX}":
        raise ValueError("no name of a key")
    known = path.stat()
    if os.name == "posix" and (known.st_uid != os.geteuid() or known.st_mode & 0o077):
        raise PermissionError(f"{path} is not this user's alone (chmod 600)")
    return _bounded(path)


class Signing:
    """The few calls of `cryptography` that are used."""

    def __init__(self) -> None:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519

        self._serialization, self._wrong = serialization, (InvalidSignature, ValueError, UnsupportedAlgorithm)
        self._verified: dict[tuple[bytes, bytes, bytes], bool] = {}
        self.Ed25519PrivateKey = ed25519.Ed25519PrivateKey
        self._public: Callable[[bytes], Ed25519PublicKey] = ed25519.Ed25519PublicKey.from_public_bytes

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Tell whether a signature is good. That never changes: what was verified lately is known."""
        known = public, signature, sha256(message).digest()
        good = self._verified.get(known)
        if good is None:
            if len(self._verified) >= _MOST_VERIFIED:
                self._verified.clear()
            good = self._verified[known] = self._is_good(public, message, signature)
        return good

    def _is_good(self, public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            self._public(public).verify(signature, message)
        except self._wrong:
            return False
        return True

    def public_bytes(self, key: Ed25519PublicKey) -> bytes:
        """Return the 32 bytes of a public key."""
        s = self._serialization
        return key.public_bytes(s.Encoding.Raw, s.PublicFormat.Raw)

    def private_bytes(self, key: Ed25519PrivateKey, passphrase: str | None) -> bytes:
        """Return a private key as PKCS 8, encrypted by a passphrase if there is one."""
        s = self._serialization
        how = s.BestAvailableEncryption(passphrase.encode()) if passphrase else s.NoEncryption()
        return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, how)

    def load(self, data: bytes, passphrase: str | None) -> Ed25519PrivateKey:
        """Return the private key of bytes.

        Raises:
            ValueError, TypeError: they are none, or the passphrase is wrong, missing, or one too many.
        """
        made = self._serialization.load_pem_private_key(data, passphrase.encode() if passphrase else None)
        if not isinstance(made, self.Ed25519PrivateKey):
            raise ValueError("no Ed25519 key")  # noqa: TRY004 - like every other file that holds no such key
        return made


_signing: list[Signing] = []


def signing() -> Signing:
    """Return the library of signatures.

    Raises:
        PublishingError: E0767, it is not installed.
    """
    if not _signing:
        try:
            _signing.append(Signing())
        except ImportError:
            raise PublishingError(
                "E0767", "signatures need the library 'cryptography'", "pip install 'rtfs-framework[sign]'"
            ) from None
    return _signing[0]
