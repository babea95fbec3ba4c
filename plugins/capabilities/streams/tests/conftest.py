"""A set of streams over a file of its own, called as a host does it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from inspect import isawaitable
from itertools import count
from typing import Any

import pytest

from rtfs_capability_streams.files import open_beneath
from rtfs_capability_streams.pipes import Pipes
from rtfs_capability_streams.plugin import StreamSettings
from rtfs_capability_streams.store import Store
from rtfs_capability_streams.streams import Streams
from rtfs_framework.api import CapabilityEntry, CapabilityRequest, Described, read_value

_NUMBERS = count()


class Desk:
    """Calls capabilities by id, with arguments as a program writes them. Time passes only while a call waits."""

    def __init__(self, folder, **settings) -> None:
        self.now, self.meanwhile, self.keys = 0.0, [], 0
        self.pause, self.number = lambda _seconds: None, next(_NUMBERS)
        own = StreamSettings(**{"roots": ("data",), **settings})
        pipes = Pipes(lambda path: open_beneath(path, own.roots, str(folder), pipe=True))
        self.set = Streams(
            Store(folder / "streams.sqlite", own.capacity, pipes),
            own,
            str(folder),
            clock=lambda: self.now,
            sleep=self._sleep,
        )
        self.entries = {name: each for each in self.set.entries() for name in (each.id, *each.aliases)}

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pause(seconds)
        if self.meanwhile:
            self.meanwhile.pop(0)()

    @staticmethod
    def made(entry: CapabilityEntry, asked: CapabilityRequest) -> Any:
        """Return what a handler made of a call, also where another call waits."""
        made = entry.handler(asked)
        if not isawaitable(made):
            return made

        async def awaited() -> Any:
            return await made

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, awaited()).result()

    def call(self, id_: str, *args: Any, key: str | None = None, **about: Any) -> Any:
        self.keys += 1
        values = tuple(read_value(each) if isinstance(each, str) else each for each in args)
        asked = CapabilityRequest(id_, values, key=f"{self.number}:{self.keys}" if key is None else key, **about)
        made = self.made(self.entries[id_], asked)
        return made.value if isinstance(made, Described) else made


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    (tmp_path / "data").mkdir()
    made = Desk(tmp_path)
    with closing(made.set):
        yield made


@pytest.fixture
def another(tmp_path):
    """Return what makes a second set over the same file, as another process has one."""
    made = []

    def make(**settings):
        made.append(Desk(tmp_path, **settings))
        return made[-1]

    yield make
    for each in made:
        each.set.close()
