"""A session that many use at once: a slow provider that counts, a journal that is read afterwards."""

from __future__ import annotations

import asyncio
import threading

import attrs
import pytest

from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.verify import verify_all


@attrs.define
class Slow:
    """Answers `<n>` a little later, and notes where and how often it was asked."""

    pause: float = 0.002
    asked: list = attrs.field(factory=list)
    loops: set = attrs.field(factory=set)
    threads: set = attrs.field(factory=set)
    cancelled: int = 0
    hold: set = attrs.field(factory=set)
    """Arguments that are never answered."""

    async def __call__(self, request):
        self.asked.append(request.args[0])
        self.loops.add(id(asyncio.get_running_loop()))
        self.threads.add(threading.get_ident())
        try:
            await asyncio.sleep(3600 if request.args[0] in self.hold else self.pause)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return f'"<{request.args[0]}>"'


@pytest.fixture
def slow():
    """Return the provider's answers."""
    return Slow()


@pytest.fixture
def service(kit, slow):
    """Return a function that opens a session with the slow provider."""

    def opened(**more):
        options = {name: more.pop(name) for name in ("limits", "journal") if name in more}
        provider = kit.provider("m", slow, deterministic=more.get("l2", False))
        return kit.open(kit.catalog(provider, **more), **options)

    return opened


@pytest.fixture
def recorded(kit):
    """Return a function that reads the calls that are in the journal, by run, once it verifies."""

    def read():
        verdict = verify_all(kit.journal, kit.home)
        assert (verdict.ok, verdict.problems) == (True, ())
        rows = query.list_runs(kit.journal, 1_000_000)
        return {row.id: (row.status, list(query.entries_of(kit.journal, row.id))) for row in rows}

    return read


def together(count, work, timeout=300):
    """Call `work(0)`, `work(1)`, ... each in a thread of its own, all at once; return what failed."""
    failed, ready = [], threading.Barrier(count)

    def run(number):
        ready.wait(timeout)
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            failed.append((number, error))

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    return failed


@pytest.fixture(name="together")
def _together():
    return together
