"""All who take part, in the order of the table's columns; Python comes first, as all are divided by it."""

from __future__ import annotations

from benchmarks.peers.basilisp import Basilisp
from benchmarks.peers.contract import Peer
from benchmarks.peers.hy import Hy
from benchmarks.peers.monty import Monty
from benchmarks.peers.python import Python
from benchmarks.peers.rtfs import Rtfs
from benchmarks.peers.starlark import Starlark
from benchmarks.targets import MAPS, OFF, ON
from rtfs_framework.kernel import limits


def all_peers() -> tuple[Peer, ...]:
    """Return one of each, installed or not."""
    return (
        Python(),
        Rtfs(OFF, limits.OFF),
        Rtfs(ON, limits.Limits()),
        Hy(),
        Basilisp(),
        Monty(),
        Starlark(),
        *(Python(name, f"{name}.py", name) for name in MAPS),
    )
