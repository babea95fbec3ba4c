"""Published programs (L4): what a verified load costs beside a bare read of SQLite and a look-up of a dict.

A load is all that stands between a target `l4` and a body that may run: the list of trusted keys, the pointer and its
signature, the digest of the IR, what was compiled of it and its seal, and the interface. Three rows for each of two
programs, of one function and of a hundred: with a signature that nobody has verified yet (the first use in a process),
with one that was verified before (a file changed), and where nothing changed, as at every further call.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from benchmarks.timing import Work, compared, taken
from rtfs_framework.api.targets import L4CacheHit
from rtfs_framework.kernel.publishing import publish
from rtfs_framework.lang.published.face import face_digest, face_text
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.orchestrator.remembering.published.keys import KeyRing, signing
from rtfs_framework.orchestrator.remembering.published.pointers import Pointer, signed
from rtfs_framework.orchestrator.remembering.published.shelf import Shelf

_TIMES, _LOOKS = 100, 20_000
_SIZES = {"1 function": 1, "100 functions": 100}


@attrs.frozen(slots=True)
class _Kept:
    """A shelf with one program, and the function whose body it may stand for."""

    shelf: Shelf
    function: FunctionSignature
    lookup: Lookup
    size: int

    def call(self) -> None:
        """Find the body, as each call does."""
        found = self.shelf.find(self.function, self.lookup, L4CacheHit())
        assert not isinstance(found, str), found

    def load(self, *, first: bool) -> None:
        """Verify and load it; `first` also forgets which signatures were verified."""
        self.shelf._bodies.clear()
        if first:
            signing()._verified.clear()
        self.call()


def _no_variable(_: str) -> None:
    """Say that no variable of the environment is set."""


@contextmanager
def _kept(functions: int) -> Iterator[_Kept]:
    helpers = "".join(
        f"(defn h{i} [x : int] : int (if (> x {i}) (+ {i} (* 2 {f'(h{i - 1} x)' if i else 'x'})) {i}))\n"
        for i in range(functions - 1)
    )
    last = f"(h{functions - 2} x)" if functions > 1 else "x"
    text = f'{helpers}(defn score "Score it." [x : int] : int (+ 1000 {last}))'
    with TemporaryDirectory() as folder:
        ring, keyring = KeyRing(Path(folder, "keys")), Keyring(lambda: folder)
        ring.new("me", _no_variable, 1.0)
        made = publish(Source("<benchmark>", text), "score", "0.1.0")
        assert made.signature is not None
        pointer = Pointer(
            face=face_digest(made.signature, made.types.get),
            artifact=sha256(made.blob).hexdigest(),
            name="score",
            signature=face_text(made.signature),
            whole=False,
            size=len(made.blob),
            compiler="0.1.0",
            salt="",
            time=5,
        )
        shelf = Shelf(Path(folder, "published"), ring, "", partial(keyring.seal, "published programs"))
        shelf.put(*signed(pointer, ring.signer("me", _no_variable)), made.blob)
        yield _Kept(shelf, made.signature, made.types.get, len(made.blob))


@attrs.frozen(slots=True, kw_only=True)
class Load:
    """One kind of load: how many times as long it takes as what it is held against, and its milliseconds here."""

    name: str
    reads: float
    """Times a bare read of SQLite, by primary key."""
    looks: float
    """Times a look-up in a dict, by a pair of texts."""
    milliseconds: float


def published() -> Iterable[Load]:
    """Yield what each kind of load costs."""
    with closing(sqlite3.connect(":memory:")) as bare:
        bare.execute("create table kept (namespace text, digest text, value blob, primary key (namespace, digest))")
        bare.execute("insert into kept values ('programs', 'a', zeroblob(4096))")
        held = {("programs", str(i)): i for i in range(1_000)}
        for size, functions in _SIZES.items():
            with _kept(functions) as kept:
                works: dict[str, Work] = {
                    f"verified load, {size} ({kept.size:,} bytes)": partial(_times, partial(kept.load, first=True)),
                    f"verified load, {size}, signature known": partial(_times, partial(kept.load, first=False)),
                    f"further call, {size}": partial(_times, kept.call),
                }
                by_read, by_dict = compared(works, partial(_reads, bare)), compared(works, partial(_looks, held))
                for name, work in works.items():
                    yield Load(
                        name=name,
                        reads=by_read[name].value,
                        looks=by_dict[name].value * _LOOKS / _TIMES,
                        milliseconds=taken(work) / _TIMES * 1_000,
                    )


def _times(work: Work) -> None:
    for _ in range(_TIMES):
        work()


def _reads(bare: sqlite3.Connection) -> None:
    for _ in range(_TIMES):
        bare.execute("select value from kept where namespace = ? and digest = ?", ("programs", "a")).fetchone()


def _looks(held: dict[tuple[str, str], int]) -> None:
    get = held.get
    for i in range(_LOOKS):
        get(("programs", str(i % 1_000)))


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = list(published())
    if asked.json:
        print(json.dumps([attrs.asdict(row) for row in rows]))
        return
    print(f"{'':<48} {'bare reads':>12} {'dict look-ups':>14} {'ms here':>8}")
    for row in rows:
        print(f"{row.name:<48} {row.reads:>12,.1f} {row.looks:>14,.0f} {row.milliseconds:>8.3f}")


if __name__ == "__main__":
    main()
