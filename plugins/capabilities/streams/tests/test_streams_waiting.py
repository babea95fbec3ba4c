"""Readers that wait hold no thread, look only where something has changed, and take nothing once they are cancelled."""

from __future__ import annotations

import asyncio
from threading import active_count

import pytest

from rtfs_framework.api import CapabilityError, CapabilityRequest, Described, Keyword, read_value

START, NEXT, SEND = "marketplace.stream.start", "marketplace.stream.next", "marketplace.stream.send"


def asked(desk, id_, *args, key, **more):
    request = CapabilityRequest(id_, tuple(read_value(each) for each in args), key=key, deadline=3000.0, **more)
    return desk.entries[id_].handler(request)


@pytest.fixture
def looks(desk, monkeypatch):
    """Return how often the file was looked at for an item."""
    seen, pull = [], desk.set._store.pull

    def pulling(*args, **more):
        seen.append(args)
        return pull(*args, **more)

    monkeypatch.setattr(desk.set._store, "pull", pulling)
    return seen


@pytest.fixture
def steps(desk, monkeypatch):
    """Let all who wait take a turn at a time."""

    async def sleep(seconds):
        desk.now += seconds / 1_000
        await asyncio.sleep(0)

    monkeypatch.setattr(desk.set, "_sleep", sleep)


@pytest.mark.parametrize("readers", [100, pytest.param(1_000, marks=pytest.mark.slow)])
def test_many_wait_without_a_thread_each_and_look_once(desk, looks, steps, readers):
    for n in range(readers):
        desk.call(START, f'"q{n % 10}"', f'{{:name "r{n}" :wait 2000}}')

    others = active_count()  # those that earlier tests of this process have left

    async def wait():
        waiting = [asyncio.ensure_future(asked(desk, NEXT, f'"r{n}"', key=f"k{n}")) for n in range(readers)]
        for _ in range(100):
            await asyncio.sleep(0.01)
            if len(looks) >= readers:
                break
        before, threads = len(looks), active_count()
        await asked(desk, SEND, '"q3"', "7", key="put")
        (found,), rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in rest:
            each.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        return found.result(), before, threads

    found, before, threads = asyncio.run(wait())
    assert found.get(Keyword("value")) == 7
    assert readers <= before <= 4 * readers
    assert threads - others < 20


@pytest.mark.parametrize("moment", ["while it waits", "while it looks"])
def test_a_cancelled_read_takes_nothing(desk, steps, monkeypatch, moment):
    desk.call(START, '"q"', '{:name "r" :wait 2000}')
    if moment == "while it looks":
        desk.call(SEND, '"q"', 1)

    async def cancelled():
        reader = asyncio.ensure_future(asked(desk, NEXT, '"r"', key="a"))
        if moment == "while it looks":
            store = desk.set._store
            pull = store.pull
            monkeypatch.setattr(store, "pull", lambda *args, **more: (reader_cancel(reader), pull(*args, **more))[1])
        for _ in range(20):
            await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader

    def reader_cancel(reader):
        reader.get_loop().call_soon_threadsafe(reader.cancel)

    asyncio.run(cancelled())
    desk.set._waits.close()  # what is to be taken back was
    desk.set._patience = None
    monkeypatch.undo()
    if moment == "while it waits":
        desk.call(SEND, '"q"', 1)
    assert desk.call(NEXT, '"r"').get(Keyword("value")) == 1


def test_errors_about_what_is_marked_carry_its_marks(desk, tmp_path):
    (tmp_path / "data" / "lines").write_text("x\n")
    pii = frozenset({"pii"})
    desk.call(START, '{:jsonl "data/lines"}', '{:name "r" :of :int}', marks=pii)
    desk.call(SEND, '"q"', '"words"', marks=pii)
    desk.call("stream.close", '"q"')
    for id_, args in (
        (NEXT, ('"r"',)),
        ("mcp.stream.next", ('"r"', "{}")),
        (SEND, ('"q"', "2")),
        ("mcp.stream.commit", ('"r"', "{:epoch 77 :seq 0}")),
        (START, ("{:range [0 1]}", '{:name "r"}')),
    ):
        with pytest.raises(CapabilityError) as found:
            desk.call(id_, *args)
        assert found.value.marks == pii, (id_, args)
    with pytest.raises(CapabilityError) as found:
        desk.call(NEXT, '"nobody"')
    assert not found.value.marks
    assert not isinstance(desk.call(START, "{:range [0 1]}"), Described)
