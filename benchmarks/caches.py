"""Caches: what a hit costs in memory and in the file, in look-ups of a dict and in bare reads of SQLite.

The key of a reply is made anew for each look-up, as the host makes it: SHA-256 over framed parts, whose beginning, that
of all requests to one function, is hashed once. A look-up of a dict,
by a pair of texts that is made for it, takes 60 nanoseconds on the machine that the bounds were chosen on: they are one
microsecond for a hit in L1, and 8 for one in L2 with its key.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from benchmarks.timing import compared
from rtfs_framework.api import CacheKey, CacheLayer, CacheSettings, Clock
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.orchestrator.remembering.keys import Keys
from rtfs_framework.registry import load_catalog

_TIMES = 20_000
_RECORDS = 1_000
_REPLY = '{"text": "' + "an answer of a few words " * 8 + '"}'
_VALUES = {"function": "0" * 64, "target": "remote:x", "provider": "2" * 64, "account": "3" * 64, "tenant": "acme"}
_PARTS = {**_VALUES, "labels": "", "guards": "", "hints": ""}
"""What the key of a reply begins with, as `Reuse` makes it; the digest of the arguments, 64 digits, follows."""
_KEYS = Keys()
_READING = "select value from kept where namespace = ? and digest = ?"
_DICT, _READ = "a look-up in a dict, by a pair of texts", "a bare read of SQLite, by primary key"


def caches() -> Iterable[Row]:
    """Yield the cost of a hit in L1 with its key at hand, and of one in L2 with its key made."""
    catalog = load_catalog({"RTFS_PLUGINS": "l1,l2"})
    with TemporaryDirectory() as folder:
        clock: Clock = SystemClock()
        seal = partial(Keyring(lambda: folder).seal, "cache l2 l2")
        settings = CacheSettings(clock=clock, ttl=3_600.0, directory=folder, seal=seal)
        l1, l2 = (catalog.cache(name).factory(settings) for name in ("l1", "l2"))
        with closing(l1), closing(l2), closing(sqlite3.connect(Path(folder, "bare.sqlite"))) as bare:
            keys = [_key(i) for i in range(_RECORDS)]
            _fill(l1, l2, bare, keys)
            held = {(key.namespace, key.digest): _REPLY for key in keys}
            works = {"L1 hit": partial(_gets, l1, keys), "exact hit with key, L2": partial(_gets_anew, l2)}
            by_dict = compared(works, partial(_looks, held, keys))
            by_read = compared(works, partial(_reads, bare, keys))
    yield Row(name="L1 hit", ratio=by_dict["L1 hit"], yardstick=_DICT, target=16)
    name = "exact hit with key, L2"
    yield Row(name=name, ratio=by_dict[name], yardstick=_DICT, target=130)
    yield Row(name=f"{name}, on disk", ratio=by_read[name], yardstick=_READ)


def _key(i: int) -> CacheKey:
    return CacheKey("reply", _KEYS.of(tuple(_PARTS.items()), "arguments", f"{i:064}"))


def _fill(l1: CacheLayer, l2: CacheLayer, bare: sqlite3.Connection, keys: list[CacheKey]) -> None:
    bare.execute("create table kept (namespace text, digest text, value text, primary key (namespace, digest))")
    for key in keys:
        l1.put(key, _REPLY)
        l2.put(key, _REPLY)
        bare.execute("insert into kept values (?, ?, ?)", (key.namespace, key.digest, _REPLY))
    bare.commit()


def _gets(layer: CacheLayer, keys: list[CacheKey]) -> None:
    get: Callable[[CacheKey], object] = layer.get
    for i in range(_TIMES):
        get(keys[i % _RECORDS])


def _gets_anew(layer: CacheLayer) -> None:
    get: Callable[[CacheKey], object] = layer.get
    for i in range(_TIMES):
        get(_key(i % _RECORDS))


def _looks(held: dict[tuple[str, str], str], keys: list[CacheKey]) -> None:
    get = held.get
    for i in range(_TIMES):
        key = keys[i % _RECORDS]
        get((key.namespace, key.digest))


def _reads(bare: sqlite3.Connection, keys: list[CacheKey]) -> None:
    for i in range(_TIMES):
        key = keys[i % _RECORDS]
        bare.execute(
            "select value from kept where namespace = ? and digest = ?", (key.namespace, key.digest)
        ).fetchone()
