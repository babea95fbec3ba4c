"""The connection: a loop in a thread of its own, so that callers are plain functions of any thread.

After a fork the child makes its own. What goes wrong with the server, and what takes too long, is a `QueueError`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any, TypeVar

import attrs
import nats
import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, KeyValueConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, BadRequestError
from nats.js.kv import KeyValue

from rtfs_framework.api import QueueError, QueueSettings, free_at_forks, one_line
from rtfs_queue_nats.plugin import NatsSettings

_NAME_IN_USE = 10058
_RECONNECT = 0.1

Result = TypeVar("Result")


@attrs.frozen(slots=True)
class Server:
    """A connection, with the stream and the bucket of a queue."""

    client: Client
    js: JetStreamContext
    state: KeyValue
    stream: str
    bucket: str
    consumers: set[str] = attrs.field(factory=set)
    """The subjects whose consumers were made, or seen to be there."""


class Link:
    """Connects when it is first used, and again after it was closed."""

    def __init__(self, settings: QueueSettings, own: NatsSettings) -> None:
        self._settings = settings
        self._own = own
        self._lock = free_at_forks(Lock())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._process = 0
        self._server: Server | None = None
        self._connecting: asyncio.Lock | None = None
        self._left: object = None
        self._under_way: set[asyncio.Future[Any]] = set()

    def call(self, work: Callable[[Server], Coroutine[Any, Any, Result]], *, long: bool = False) -> Result:
        """Do something with the server; what reads everything (`long`) may take ten times as long.

        Raises:
            QueueError: It failed, or took longer than the timeout.
        """
        bounded = asyncio.run_coroutine_threadsafe(
            self._bounded(work, self._own.timeout * (10 if long else 1)), self._running()
        )
        try:
            return bounded.result()
        except (nats.errors.Error, OSError, asyncio.TimeoutError, CancelledError) as error:
            said = one_line(str(error)) or type(error).__name__
            raise QueueError(f"NATS at {self._own.url}: {said}") from error

    def close(self) -> None:
        """Close the connection, and end the thread."""
        with self._lock:
            loop, thread, server = self._loop, self._thread, self._server
            mine = self._process == os.getpid()
            self._loop = self._thread = self._server = None
        if loop is None or thread is None or not mine:
            return
        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(_disconnect(server), loop).result(self._own.timeout)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    async def _bounded(self, work: Callable[[Server], Coroutine[Any, Any, Result]], seconds: float) -> Result:
        async def done() -> Result:
            return await work(await self._connected())

        task = asyncio.ensure_future(done())
        self._under_way.add(task)
        try:
            return await asyncio.wait_for(task, seconds)
        except asyncio.CancelledError:
            if task in self._under_way:  # this was cancelled, not what it waits for
                raise
            raise nats.errors.ConnectionClosedError from None
        finally:
            self._under_way.discard(task)

    async def _lost(self) -> None:
        """End what waits for an answer: a server that is lost gives none, and what comes next may reach it again."""
        waiting, self._under_way = self._under_way, set()
        for task in waiting:
            task.cancel()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._left = self._loop, self._server  # the parent's: closing it here would be heard there
                self._process, self._server, self._connecting = os.getpid(), None, None
                self._under_way = set()
                self._loop = asyncio.new_event_loop()
                self._thread = Thread(target=self._loop.run_forever, name="rtfs-queue-nats", daemon=True)
                self._thread.start()
            return self._loop

    async def _connected(self) -> Server:
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        async with self._connecting:
            if self._server is None or self._server.client.is_closed:
                self._server = await self._connect()
            return self._server

    async def _connect(self) -> Server:
        client = Client()
        try:
            await client.connect(**self._terms())
            js = client.jetstream(timeout=self._own.timeout)
            stream, bucket = f"{self._own.prefix}-work", f"{self._own.prefix}-state"
            await self._make_stream(js, stream)
            keep = KeyValueConfig(bucket=bucket, storage=StorageType.FILE, replicas=self._own.replicas)
            state = await js.create_key_value(keep)
        except BaseException:
            with suppress(Exception):
                await client.close()
            raise
        return Server(client, js, state, stream, f"KV_{bucket}")

    def _terms(self) -> dict[str, Any]:
        own, environ = self._own, self._settings.environ
        terms: dict[str, Any] = {
            "servers": own.url,
            "connect_timeout": max(1, round(own.timeout)),
            "reconnect_time_wait": _RECONNECT,
            "max_reconnect_attempts": -1,
            "error_cb": _ignore,
            "disconnected_cb": self._lost,
            "name": "rtfs",
        }
        if own.user is not None:
            terms |= {"user": own.user, "password": self._secret(own.password_env)}
        if own.token_env is not None:
            terms["token"] = environ.get(own.token_env, "")
        if own.credentials is not None:
            path = Path(self._settings.base or ".", Path(own.credentials).expanduser())
            terms["user_credentials"] = str(path)
        return terms

    def _secret(self, name: str | None) -> str:
        return "" if name is None else self._settings.environ.get(name, "")

    async def _make_stream(self, js: JetStreamContext, stream: str) -> None:
        """Make the stream of what waits, or give it the bounds that hold now."""
        config = StreamConfig(
            name=stream,
            subjects=[f"{self._own.prefix}.work.>"],
            retention=RetentionPolicy.WORK_QUEUE,
            discard=DiscardPolicy.NEW,
            storage=StorageType.FILE,
            num_replicas=self._own.replicas,
            max_msgs=self._settings.most_items,
            max_bytes=self._settings.most_bytes,
            allow_direct=True,
        )
        try:
            await js.add_stream(config)
        except BadRequestError as error:
            if error.err_code != _NAME_IN_USE:
                raise
            await js.update_stream(config)


async def _disconnect(server: Server | None) -> None:
    """Close a connection, and end whatever its client still does."""
    if server is not None:
        await server.client.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _ignore(_: Exception) -> None:
    """Say nothing of a connection that is lost: it is made again, and who waits for an answer is told."""


def full_of(error: APIError) -> str | None:
    """Return what a stream is full of ("items", "bytes"), None when an error says something else."""
    said = error.description or ""
    return "items" if "maximum messages" in said else "bytes" if "maximum bytes" in said else None
