"""The child's loop. A thread reads what arrives, so that a job can be cancelled; the main thread computes."""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from rtfs_provider_llama.backends.base import Backend, BackendError, Options
from rtfs_provider_llama.backends.choose import open_backend
from rtfs_provider_llama.child.answering import Answerer, Job, OverflowError_, StoppedError
from rtfs_provider_llama.child.bounds import bound
from rtfs_provider_llama.child.protocol import OUT_OF_MEMORY, pack, receive
from rtfs_provider_llama.scratch import hold, remove


class Serving:
    """Serves one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._sending = threading.Lock()
        self._scratch = ""
        self._lock: int | None = None
        self._backend: Backend | None = None
        self._answerer: Answerer | None = None

    def run(self) -> None:
        """Serve until the connection ends, and this process with it."""
        threading.Thread(target=self._read, name="read", daemon=True).start()
        while True:
            message = self._inbox.get()
            answer = self._load if message["do"] == "load" else self._answer
            self._carry_out(message, answer)

    def _read(self) -> None:
        try:
            while (message := receive(self._connection)) is not None:
                if message["do"] == "cancel":
                    self._cancelled.add(message["id"])
                elif message["do"] == "ping":
                    self._send({"id": message["id"], "ended": {}})
                else:
                    self._inbox.put(message)
        finally:  # the host has gone, or has had enough
            if self._scratch:
                remove(self._scratch)
            os._exit(0)

    def _carry_out(self, message: dict[str, Any], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Answer a message; whatever goes wrong is an answer, but for a lack of memory, which ends the process."""
        try:
            result = {"ended": answer(message)}
        except StoppedError as error:
            result = _failed("stopped", error)
        except OverflowError_ as error:
            result = _failed("overflow", error)
        except BackendError as error:
            result = _failed("backend", error)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except Exception as error:  # noqa: BLE001 - a backend's own; the host is told, and says so
            result = _failed("backend", f"{type(error).__name__}: {error}")
        self._send({"id": message["id"], **result})
        self._cancelled.discard(message["id"])

    def _load(self, message: dict[str, Any]) -> dict[str, Any]:
        self._scratch = message["scratch"]
        self._lock = hold(self._scratch)
        bound(message["memory"])
        options = Options(
            path=message["path"],
            context=message["context"],
            sequences=message["functions"],
            threads=message["threads"],
            scratch=message["scratch"],
        )
        backend = self._backend = open_backend(message["backend"], options)
        self._answerer = Answerer(backend, message["functions"])
        return {"backend": backend.name, "version": backend.version, "context": backend.context}

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._answerer is None:
            raise BackendError("no model is loaded")
        number, deadline = message["id"], time.monotonic() + message["seconds"]

        def stopped() -> str | None:
            if number in self._cancelled:
                return "cancelled"
            return "late" if time.monotonic() > deadline else None

        def on_piece(piece: str) -> None:
            if message.get("stream"):
                self._send({"id": number, "piece": piece})

        return self._answerer.answer(Job.read(message), stopped, on_piece)

    def _send(self, message: dict[str, Any]) -> None:
        with self._sending:
            self._connection.sendall(pack(message))


def _failed(kind: str, why: object) -> dict[str, Any]:
    return {"failed": {"kind": kind, "message": str(why)[:1000]}}
