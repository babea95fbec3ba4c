"""The contract of stores: bytes come back as they were or not at all, nothing leads out of its place, bounds hold.

`MirrorConformance` is for whatever can be read, `StoreConformance` for what can be written, too.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import count
from typing import Any, ClassVar

from rtfs_framework.api import PluginError, Store
from rtfs_framework.testing.conformance.base import Conformance, check, fail

MANY = 1_000_000
CONTENTS: Sequence[bytes] = (b"", b"\0", b"text\r\n", bytes(range(256)) * 5, "\N{SNOWMAN}".encode() * 40_000)
"""Bytes of every kind: none, few, all values, and more than one package of a network."""
NAMES: Sequence[str] = ("a", "a-b", "a.b", "a/b", "a/b/c", "a/bc", "b", "interfaces/0f_1/x.y-z", "x" * 200)
"""Names that have to lie beside each other: one is the beginning, or the folder, of another."""
HOSTILE_NAMES: Sequence[str] = (
    "",
    "/",
    "/etc/passwd",
    "..",
    "../a",
    "a/../b",
    "a/..",
    "./a",
    "a//b",
    "a/",
    ".hidden",
    "a/.hidden",
    "a.",
    "A",
    "a\\b",
    "a b",
    "a\0",
    "a\n",
    "a=",
    "a%2e%2e",
    "c:a",
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "a?b",
    "a#b",
    "a*",
    "a'b",
    "x" * 201,
    "ab/" * 200 + "c",
)
HOSTILE_DIGESTS: Sequence[str] = (
    "",
    "0" * 63,
    "0" * 65,
    "0" * 63 + "A",
    "g" * 64,
    "../" + "0" * 61,
    "0" * 62 + "/0",
    "0" * 64 + "\n",
    "%" * 64,
    "*" * 64,
)


class MirrorConformance(Conformance):
    """For a store that can be read: inherit, and give `filled`."""

    lists_names: ClassVar[bool] = True
    """Whether it knows which names there are; without it, `names` must refuse."""
    lists_blobs: ClassVar[bool] = True

    @abstractmethod
    def filled(self, blobs: Mapping[str, bytes], names: Mapping[str, bytes]) -> Store:
        """Return a new store that holds these blobs, by digest, and these names, and nothing else."""

    def test_what_is_there_is_read_as_it_was(self) -> None:
        """Byte by byte, whatever the bytes are."""
        blobs = _blobs(CONTENTS)
        names = {name: f"to {name}".encode() for name in NAMES}
        store = self.filled(blobs, names)
        for digest, data in blobs.items():
            check(store.get(digest, MANY) == data, f"a blob of {len(data)} bytes came back as another")
        for name, data in names.items():
            check(store.read(name, MANY) == data, f"the name {name!r:.60} came back as another")
        store.close()

    def test_what_is_not_there_is_none(self) -> None:
        """Also where something lies nearby."""
        store = self.filled(_blobs(CONTENTS[:1]), {"a/b": b"data"})
        check(store.get("0" * 64, MANY) is None, "a blob that nobody put is there")
        for name in ("b", "a", "a/b/c", "a/bb"):
            check(store.read(name, MANY) is None, f"a name that nobody set is there: {name}")
        store.close()

    def test_missing_tells_what_is_not_there(self) -> None:
        """In the order in which it was asked."""
        blobs = _blobs(CONTENTS)
        store = self.filled(blobs, {})
        asked = ["f" * 64, *blobs, "0" * 64]
        check(list(store.missing(asked)) == ["f" * 64, "0" * 64], "missing does not tell what is missing, in order")
        check(list(store.missing([])) == [], "of no blobs, some are missing")
        store.close()

    def test_more_than_was_asked_for_is_refused(self) -> None:
        """To the byte, by E0823; as much as was asked for is not."""
        data = CONTENTS[3]
        (digest,) = _blobs([data])
        store = self.filled({digest: data}, {"a": data})
        reads: tuple[Callable[[int], bytes | None], ...] = (
            lambda most: store.get(digest, most),
            lambda most: store.read("a", most),
        )
        for read in reads:
            check(read(len(data)) == data, "as many bytes as were asked for are not handed out")
            for most in (len(data) - 1, 0):
                refused("E0823", read, most)
        store.close()

    def test_what_is_no_name_is_refused(self) -> None:
        """By E0822, before anything is looked up."""
        store = self.filled({}, {"a": b"data"})
        for name in HOSTILE_NAMES:
            refused("E0822", store.read, name, MANY)
        if self.lists_names:
            for prefix in ("/", "..", "../", "a/../", "A", "a*", "a\0", "a//"):
                refused("E0822", store.names, prefix)
        store.close()

    def test_what_is_no_digest_is_refused(self) -> None:
        """By E0822, before anything is looked up."""
        store = self.filled(_blobs(CONTENTS[:1]), {})
        for digest in HOSTILE_DIGESTS:
            refused("E0822", store.get, digest, MANY)
            refused("E0822", store.missing, [digest])
        store.close()

    def test_names_are_listed_by_their_beginning(self) -> None:
        """Sorted, each once; or not at all, by E0821."""
        names = dict.fromkeys(NAMES, b"data")
        store = self.filled({}, names)
        if not self.lists_names:
            refused("E0821", store.names, "")
        else:
            for prefix in ("", "a", "a/", "a/b", "interfaces/", "a.", "zz"):
                wanted = sorted(name for name in names if name.startswith(prefix))
                found = list(store.names(prefix))
                check(found == wanted, f"of the names with {prefix!r}, {found} were listed, not {wanted}")
        store.close()

    def test_blobs_are_listed(self) -> None:
        """Each once; or not at all, by E0821."""
        blobs = _blobs(CONTENTS)
        store = self.filled(blobs, {"a": b"data"})
        if not self.lists_blobs:
            refused("E0821", store.blobs)
        else:
            check(sorted(store.blobs()) == sorted(blobs), "the blobs that are listed are not those that are there")
        store.close()

    def test_threads_read_at_once(self) -> None:
        """None gets another's bytes."""
        blobs = _blobs([f"blob {i}".encode() * 50 for i in range(8)])
        store = self.filled(blobs, {})
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda digest: (digest, store.get(digest, MANY)), [*blobs] * 4))
        check(all(blobs[digest] == data for digest, data in found), "a thread got what another one asked for")
        store.close()

    def test_what_is_only_read_is_never_changed(self) -> None:
        """A store that says `read_only` refuses every change by E0821."""
        (digest,) = _blobs([b"old"])
        store = self.filled({digest: b"old"}, {"a": b"data"})
        if store.read_only:
            (new,) = _blobs([b"new"])
            refused("E0821", store.put, new, b"new")
            refused("E0821", store.point, "a", b"other")
            refused("E0821", store.forget, ["a"], [digest])
            check(store.get(digest, MANY) == b"old" and store.read("a", MANY) == b"data", "it was changed all the same")
        store.close()


class StoreConformance(MirrorConformance, Conformance):
    """For a store that can be written: inherit, and give `make`."""

    _places: ClassVar[Any] = count()

    @abstractmethod
    def make(self, place: str) -> Store:
        """Return a store on a place (`[a-z0-9]+`). Those of one place hold the same; a new place is empty."""

    def filled(self, blobs: Mapping[str, bytes], names: Mapping[str, bytes]) -> Store:
        """Return a new store that holds these blobs and names."""
        store = self.make(self._place())
        for digest, data in blobs.items():
            store.put(digest, data)
        for name, data in names.items():
            store.point(name, data)
        return store

    def test_the_next_store_has_what_was_written(self) -> None:
        """Reopened, everything is there: what was set twice as it was set last."""
        place = self._place()
        blobs = _blobs(CONTENTS)
        store = self.make(place)
        for digest, data in blobs.items():
            store.put(digest, data)
            store.put(digest, data)
        store.point("a", b"long ago" * 100)
        store.point("a", b"now")
        store.close()
        again = self.make(place)
        for digest, data in blobs.items():
            check(again.get(digest, MANY) == data, f"a blob of {len(data)} bytes is not there for the next store")
        check(again.read("a", MANY) == b"now", "the name does not point where it was set last")
        check(sorted(again.blobs()) == sorted(blobs), "blobs that were put twice are there twice")
        again.close()

    def test_bytes_of_another_digest_are_not_stored(self) -> None:
        """By E0824; and nothing of them is seen."""
        place = self._place()
        store = self.make(place)
        refused("E0824", store.put, "0" * 64, b"data")
        check(store.get("0" * 64, MANY) is None, "bytes lie under a digest that they do not have")
        check(list(store.blobs()) == [], "refused bytes are listed")
        store.close()

    def test_nothing_is_written_under_what_is_no_name(self) -> None:
        """By E0822, and nothing is deleted either when one of several names is none."""
        (digest,) = _blobs([b"data"])
        store = self.filled({digest: b"data"}, {"a": b"data"})
        for name in HOSTILE_NAMES:
            refused("E0822", store.point, name, b"data")
            refused("E0822", store.forget, ["a", name], [])
        for each in HOSTILE_DIGESTS:
            refused("E0822", store.put, each, b"data")
            refused("E0822", store.forget, ["a"], [digest, each])
        check(list(store.names("")) == ["a"] and list(store.blobs()) == [digest], "something was changed all the same")
        store.close()

    def test_what_is_forgotten_is_gone(self) -> None:
        """And nothing else; what was never there is no mistake, and all of it may be written again."""
        blobs = _blobs([b"one", b"two"])
        one, two = blobs
        store = self.filled(blobs, dict.fromkeys(("a", "a/b", "a/b/c"), b"data"))
        store.forget(["a/b", "zz"], [one, "0" * 64])
        check(list(store.names("")) == ["a", "a/b/c"], "other names are left than those that were not forgotten")
        check(list(store.blobs()) == [two], "other blobs are left than those that were not forgotten")
        check(store.read("a/b", MANY) is None and store.get(one, MANY) is None, "what was forgotten is still read")
        check(list(store.missing([one, two])) == [one], "what was forgotten is not missing")
        store.forget([], [])
        store.put(one, b"one")
        store.point("a/b", b"new")
        check(store.get(one, MANY) == b"one" and store.read("a/b", MANY) == b"new", "it cannot be written again")
        store.close()

    def test_one_blob_may_be_put_by_several_at_once(self) -> None:
        """From threads, and by stores that know nothing of each other; whoever looks meanwhile sees all or nothing."""
        place = self._place()
        stores = [self.make(place) for _ in range(3)]
        data = bytes(range(256)) * 2_000
        (digest,) = _blobs([data])

        def work(i: int) -> bytes | None:
            if i % 2:
                return stores[i % 3].get(digest, MANY)
            stores[i % 3].put(digest, data)
            return None

        with ThreadPoolExecutor(6) as pool:
            seen = list(pool.map(work, range(18)))
        check(all(each in (None, data) for each in seen), "half a blob was seen")
        check(all(store.get(digest, MANY) == data for store in stores), "the blob is not what was put")
        for store in stores:
            store.close()

    def test_a_name_is_set_as_one_step(self) -> None:
        """Whoever reads it meanwhile gets one of the values that it had, whole."""
        place = self._place()
        stores = [self.make(place) for _ in range(2)]
        values = [bytes([i]) * (1 + 3_000 * i) for i in range(6)]
        stores[0].point("a", values[0])

        def work(i: int) -> bytes | None:
            if i % 3 == 0:
                stores[0].point("a", values[i // 3 % len(values)])
                stores[0].point(f"b/{i}", b"data")
            return stores[i % 2].read("a", MANY)

        with ThreadPoolExecutor(6) as pool:
            seen = list(pool.map(work, range(24)))
        check(all(each in values for each in seen), "a name was read while it was set in more than one step")
        check(list(stores[1].names("")) == sorted(["a", *(f"b/{i}" for i in range(0, 24, 3))]), "a name was lost")
        for store in stores:
            store.close()

    def _place(self) -> str:
        return f"place{next(self._places)}"


def refused(code: str, work: Callable[..., Any], *arguments: Any) -> None:
    """See that something is refused by a PluginError of one code that tells a way out."""
    try:
        result = work(*arguments)
    except PluginError as error:
        shown = f"{arguments!r:.80}"
        check(error.code == code, f"{shown} was refused by {error.code}, not {code}: {error}")
        check(bool(error.way_out), f"the error of {shown} tells no way out")
    else:
        fail(f"{getattr(work, '__name__', work)} took {arguments!r:.80} and gave {result!r:.60}")


def _blobs(contents: Sequence[bytes]) -> dict[str, bytes]:
    return {sha256(data).hexdigest(): data for data in contents}
