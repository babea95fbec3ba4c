"""Keys of texts: SHA-256 over frames, so that no two different rows of texts share a key."""

from __future__ import annotations

from hashlib import sha256


def key_of(*texts: str) -> str:
    """Return the digest (hex) of a row of texts. Each is framed by its length: swapped or joined ones differ."""
    framed = "".join([f"{len(text)}:{text}" for text in texts])
    return sha256(framed.encode("utf-8", "surrogatepass")).hexdigest()
