"""Processes that are killed while they pay: `python killed.py HOME TIMES SEED` prints what a server was asked, as JSON.

The server is a real one on loopback, in this process; each round is a child that is killed (-9) once the server has
seen so many requests. Nothing of the library is replaced: a provider that costs something, asked by 8 branches at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socketserver
import sys
import threading
import time
import traceback
from importlib import import_module
from pathlib import Path

from rtfs_framework.api import InferenceReply, Locality, ProviderEntry, Usage
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

PROGRAM = """(defn ^:delegation :remote "m" ask [x :string] :string "")
(defn own [x :int] :int (inc x))
(defn main [name] (pmap (fn [n] (do (own n) (ask (str name "-" n)) (own n) (ask (str name "+" n)))) (range 40)))
"""
SOURCE = Source("paid.rtfs", PROGRAM)
CONFIG = '[delegation]\nparallel = 8\n[delegation.static_routes]\n"own" = ["local-pure"]\n'


class Till(socketserver.ThreadingTCPServer):
    """Counts what it is asked."""

    allow_reuse_address = daemon_threads = True
    seen: list[str]
    enough: threading.Event
    most: int


class Asked(socketserver.StreamRequestHandler):
    """One paid request."""

    server: Till

    def handle(self) -> None:
        """Note it before it is answered. Who was killed before a word was said has asked for nothing."""
        text = self.rfile.readline().decode().strip()
        if not text:
            return
        self.server.seen.append(text)
        if len(self.server.seen) >= self.server.most:
            self.server.enough.set()
        self.wfile.write(b"ok\n")


class Paid:
    """A provider that asks the server."""

    def __init__(self, port: int) -> None:
        self.port = port

    def fingerprint(self) -> str:
        """Tell nothing."""
        return ""

    async def infer(self, request: object) -> InferenceReply:
        """Ask."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"{request.args[0]}\n".encode())  # type: ignore[attr-defined]
        text = (await reader.readline()).decode().strip()
        writer.close()
        return InferenceReply(text=text, model="m", usage=Usage(1, 1))

    async def aclose(self) -> None:
        """Close nothing."""


def opened(home: Path, port: int) -> Session:
    """Return a session whose provider asks the server."""
    entry = ProviderEntry(
        name="m", summary="Costs.", locality=Locality.REMOTE, factory=lambda _: Paid(port), defaults={"m": {}}
    )
    catalog = Catalog(providers={"m": (entry, Provenance("t", "0", "t"))})
    return Session.open(config_path=home / "delegation.toml", environ={"RTFS_HOME": str(home)}, catalog=catalog)


def warm(home: Path) -> None:
    """Import what children need; nothing runs."""
    for name in ("anyio._backends._asyncio", "sqlite3", "rtfs_framework.orchestrator.recording.journal.append"):
        import_module(name)
    opened(home, 1).check(SOURCE)


def child(home: Path, port: int, name: str) -> None:
    """Pay until killed."""
    program = opened(home, port).load(SOURCE)
    while True:
        program.call("main", (name,))
        name += "'"


def nursery(home: Path, orders: int, births: int) -> None:
    """Fork a child for every port and name that is asked for. Nothing runs here beside that: forking is safe."""
    warm(home)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever is killed is gone at once
    for order in os.fdopen(orders):
        port, name = order.split()
        pid = os.fork()
        if not pid:
            try:
                child(home, int(port), name)
            except BaseException:  # noqa: BLE001 - a child that ends by itself is a failure, and says why
                traceback.print_exc()
            os._exit(1)
        os.write(births, f"{pid}\n".encode())


def gone(pid: int) -> bool:
    """Tell whether a process is no more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def main(home: Path, times: int, seed: int) -> None:
    """Kill so many children."""
    (home / "delegation.toml").write_text(CONFIG, encoding="utf-8")
    (read_orders, orders), (births, write_births) = os.pipe(), os.pipe()
    if not os.fork():
        os.close(orders)
        nursery(home, read_orders, write_births)
        os._exit(0)
    dice, seen, born = random.Random(seed), [], os.fdopen(births)
    with Till(("127.0.0.1", 0), Asked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for n in range(times):
            server.seen, server.enough, server.most = [], threading.Event(), dice.randrange(1, 60)
            os.write(orders, f"{server.server_address[1]} run{n}\n".encode())
            pid = int(born.readline())
            server.enough.wait(50)
            os.kill(pid, signal.SIGKILL)
            while not gone(pid):
                time.sleep(0.001)
            seen.append(list(server.seen))
        server.shutdown()
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
