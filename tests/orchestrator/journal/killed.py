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
from pathlib import Path

from rtfs_framework.api import InferenceReply, Locality, ProviderEntry, Usage
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

PROGRAM = """(defn ^:delegation :local-model "m" ask [x :string] :string "")
(defn own [x :int] :int (inc x))
(defn main [name] (pmap (fn [n] (do (own n) (ask (str name "-" n)) (own n) (ask (str name "+" n)))) (range 40)))
"""
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


def child(home: Path, port: int, name: str) -> None:
    """Pay until killed."""
    entry = ProviderEntry(
        name="m", summary="Costs.", locality=Locality.REMOTE, factory=lambda _: Paid(port), defaults={"m": {}}
    )
    catalog = Catalog(providers={"m": (entry, Provenance("t", "0", "t"))})
    session = Session.open(config_path=home / "delegation.toml", environ={"RTFS_HOME": str(home)}, catalog=catalog)
    program = session.load(Source("paid.rtfs", PROGRAM.replace(":local-model", ":remote")))
    while True:
        program.call("main", (name,))
        name += "'"


def main(home: Path, times: int, seed: int) -> None:
    """Kill so many children."""
    (home / "delegation.toml").write_text(CONFIG, encoding="utf-8")
    dice, seen = random.Random(seed), []
    with Till(("127.0.0.1", 0), Asked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for n in range(times):
            server.seen, server.enough, server.most = [], threading.Event(), dice.randrange(1, 60)
            pid = os.fork()
            if not pid:
                try:
                    child(home, server.server_address[1], f"run{n}")
                finally:
                    os._exit(1)
            server.enough.wait(50)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            seen.append(list(server.seen))
        server.shutdown()
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
