"""Kill -9 while a store writes: a child writes, says what was acknowledged, is killed at random; then all is looked at.

    assert crashes("acme_store.plugin", {"path": str(tmp_path / "file")}, kills=3, writes=50) > 0

The store comes from a plugin's module, so that the child makes it as a host would. What was acknowledged must be there,
whole; what was not may be there whole or not at all.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from hashlib import sha256
from importlib import import_module
from random import Random
from time import sleep
from typing import Any

from rtfs_framework.api import Store, StoreSettings

_MOST = 1_000_000
_NAMES = 20
_LARGEST = 40_000


def crashes(module: str, own: Mapping[str, Any], *, kills: int, writes: int, seed: int = 0) -> int:
    """Kill a writer `kills` times; return how many writes were acknowledged, at least `writes` if it all went well.

    Raises:
        AssertionError: Something that was acknowledged is lost, or something is there that nobody wrote.
    """
    chance = Random(seed)  # noqa: S311 - moments of a test
    done = 0
    for round_ in range(kills):
        least = max(1, (writes - done) // (kills - round_))
        done = _killed(module, own, done, least, chance)
        _look(module, own, done)
    return done


def write(module: str, own: str, start: int) -> None:
    """Write for ever, and say the number of each write once it is acknowledged: what the child does."""
    store = _made(module, json.loads(own))
    number = start
    while True:
        data = _data(number)
        store.put(sha256(data).hexdigest(), data)
        store.point(_name(number), _pointer(number))
        number += 1
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def _killed(module: str, own: Mapping[str, Any], start: int, least: int, chance: Random) -> int:
    """Let a child do at least so many writes, kill it at some moment after that, and return what it acknowledged."""
    code = f"from rtfs_framework.testing.store_crash import write; write({module!r}, {json.dumps(own)!r}, {start})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        said = child.stdout
        assert said is not None  # noqa: S101
        done = start
        while done < start + least:
            line = said.readline()
            if not line:
                raise AssertionError("the writer ended by itself")
            done = int(line)
        sleep(chance.random() * 0.02)
        child.kill()
        rest = [line for line in said.read().splitlines(keepends=True) if line.endswith("\n")]
        return int(rest[-1]) if rest else done


def _look(module: str, own: Mapping[str, Any], done: int) -> None:
    """See that all is there that was acknowledged, and nothing else but the write that was under way."""
    with closing(_made(module, own)) as store:
        for number in range(done):
            data = _data(number)
            _check(store.get(sha256(data).hexdigest(), _MOST) == data, f"blob {number} of {done} is lost or damaged")
        for number in range(max(0, done - _NAMES), done):
            allowed = {_pointer(number)} | ({_pointer(done)} if _name(done) == _name(number) else set())
            _check(store.read(_name(number), _MOST) in allowed, f"the name of write {number} of {done} is lost")
        known = {sha256(_data(number)).hexdigest() for number in range(done + 1)}
        for digest in store.blobs():
            data_there = store.get(digest, _MOST) or b""
            _check(digest in known and sha256(data_there).hexdigest() == digest, "a blob is there that nobody wrote")


def _made(module: str, own: Mapping[str, Any]) -> Store:
    (entry,) = import_module(module).rtfs_stores()
    made: Store = entry.factory(StoreSettings(own=entry.settings(**own)))
    return made


def _data(number: int) -> bytes:
    return number.to_bytes(8, "big") * (1 + number * 7_919 % _LARGEST // 8)


def _name(number: int) -> str:
    return f"n/{number % _NAMES}"


def _pointer(number: int) -> bytes:
    return f"{number}:".encode() * 100


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)
