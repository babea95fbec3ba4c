"""What is written in one turn of the loop is sent together, and a connection that ended leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import weakref

from rtfs_framework.server.guarding import Corked


class Transport:
    def __init__(self):
        self.done = []

    def write(self, data):
        self.done.append(data)

    def close(self):
        self.done.append("closed")

    def is_closing(self):
        return "closed" in self.done

    def get_extra_info(self, name):
        return f"its {name}"


def test_head_and_body_are_sent_together():
    async def main():
        transport = Transport()
        corked = Corked(transport, asyncio.get_running_loop())
        corked.write(b"head ")
        corked.write(b"body")
        before = list(transport.done)
        await asyncio.sleep(0)
        corked.write(b"more")
        corked.close()
        await asyncio.sleep(0)
        return before, transport.done, corked.is_closing(), corked.get_extra_info("name")

    assert asyncio.run(main()) == ([], [b"head body", b"more", "closed"], True, "its name")


def test_one_that_is_over_is_freed_without_the_collector():
    async def main():
        transport = Transport()
        corked = Corked(transport, asyncio.get_running_loop())
        corked.close()
        gone = weakref.ref(transport)
        del transport, corked
        return gone() is None

    gc.disable()
    try:
        assert asyncio.run(main())
    finally:
        gc.enable()
