"""A collection that meets a publication, in every order of their steps: no pointer to nothing is left."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.orchestrator.remembering.published.stores import send, sweep
from rtfs_framework.testing.memory_store import MemoryStore

greenlet = pytest.importorskip("greenlet")

STEPS = ("missing", "get", "put", "read", "point", "names", "blobs", "forget")


class Stepping:
    """A store that lets the other side go on before each step."""

    def __init__(self, store, turn):
        self.read_only, self._store, self._turn = False, store, turn

    def __getattr__(self, name):
        if name not in STEPS:
            raise AttributeError(name)

        def step(*args):
            self._turn()
            return getattr(self._store, name)(*args)

        return step


def meet(store, order, sending, sweeping):
    """Run both sides; `order` says, step by step, whether it is the sender's turn; then each goes on to its end."""
    main = greenlet.getcurrent()
    sides = {
        is_sender: greenlet.greenlet(lambda work=work: work(Stepping(store, main.switch)))
        for is_sender, work in ((True, sending), (False, sweeping))
    }
    for is_sender in order:
        if not sides[is_sender].dead:
            sides[is_sender].switch()
    for each in sides.values():
        while not each.dead:
            each.switch()


def orders(sends, sweeps):
    """Yield every order of so many steps of each side."""
    if not sends or not sweeps:
        yield (True,) * sends + (False,) * sweeps
        return
    for is_sender in (True, False):
        for rest in orders(sends - is_sender, sweeps - (not is_sender)):
            yield (is_sender, *rest)


@pytest.mark.parametrize("before", ["nothing", "the blob", "all"])
def test_no_pointer_to_nothing_is_left(world, before):
    pointer, record, blob = world.made()
    keys, mended = world.ring.listed(), 0
    for order in orders(5, 8):
        store = Counting()
        if before != "nothing":
            store.put(pointer.artifact, blob)
        if before == "all":
            store.point(pointer.place, record)
        meet(store, order, lambda store: send(store, pointer, record, blob), lambda store: sweep(store, keys))
        assert (list(store.names("")), store.missing([pointer.artifact])) == ([pointer.place], []), order
        mended += store.puts > 1
    assert (mended > 0) is (before != "all"), "some orders take the blob out, and bring it back"


class Counting(MemoryStore):
    """Counts what is put."""

    puts = 0

    def put(self, digest, data):
        self.puts += 1
        super().put(digest, data)


def test_what_nothing_points_to_goes_in_batches(world):
    pointer, record, blob = world.made()
    store = MemoryStore()
    send(store, pointer, record, blob)
    others = [world.made(f"(defn f{i} [x : int] : int x)", f"f{i}") for i in range(40)]
    for other, _, data in others:
        store.put(other.artifact, data)
    swept = sweep(store, world.ring.listed())
    assert sorted(swept.blobs) == sorted(other.artifact for other, _, _ in others)
    assert (swept.kept, list(store.blobs())) == (1, [pointer.artifact])


def test_a_blob_that_cannot_be_read_goes_all_the_same(world):
    @attrs.define(slots=False)
    class Damaged(MemoryStore):
        def get(self, digest, most):
            raise self.faults.damaged(digest)

    store = Damaged()
    store.put(world.made()[0].artifact, world.made()[2])
    assert len(sweep(store, {}).blobs) == 1
