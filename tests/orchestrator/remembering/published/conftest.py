"""A user with a key, a store in memory, and a published function."""

from __future__ import annotations

from hashlib import sha256

import pytest

pytest.importorskip("cryptography", reason="the extra `sign`")

from rtfs_framework.kernel.publishing import publish
from rtfs_framework.lang.published.face import face_digest, face_text
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.remembering.published.keys import KeyRing
from rtfs_framework.orchestrator.remembering.published.pointers import Pointer, signed
from rtfs_framework.orchestrator.remembering.published.shelf import Shelf
from rtfs_framework.orchestrator.remembering.published.stores import send
from rtfs_framework.testing.memory_store import MemoryStore

TEXT = '(def base 1000) (defn score "Score it." [x : int] : int (+ base x))'


class World:
    """What a user has."""

    def __init__(self, folder):
        self.ring = KeyRing(folder / "keys")
        self.key = self.ring.new("me", {}.get, 1.0)
        self.store = MemoryStore()
        self.shelf = Shelf(folder / "published", self.ring)

    def made(self, text=TEXT, name="score", *, salt="", time=5, key="me"):
        """A function as pointer, record and blob."""
        made = publish(Source("<test>", text), name, "0.1.0")
        pointer = Pointer(
            face=face_digest(made.signature, made.types.get),
            artifact=sha256(made.blob).hexdigest(),
            name=name,
            signature=face_text(made.signature),
            whole=False,
            size=len(made.blob),
            compiler="0.1.0",
            salt=salt,
            time=time,
        )
        return *signed(pointer, self.ring.signer(key, {}.get)), made.blob

    def sent(self, *args, **more):
        """A function in the store."""
        made = self.made(*args, **more)
        send(self.store, *made)
        return made

    def kept(self, *args, **more):
        """A function on the shelf."""
        made = self.made(*args, **more)
        self.shelf.put(*made)
        return made


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)
