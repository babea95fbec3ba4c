"""What the fingerprint says of a model: a digest of its files, quick enough for every start of a host.

The header of a GGUF file (names, shapes, vocabulary, template) and blocks spread evenly over the rest are read: some
megabytes, where a file has gigabytes. Another model, quantisation or fine-tuning changes every block. A file that is
altered in single places between the blocks is not told from the original: verify it when it arrives (`--sha256`).
"""

from __future__ import annotations

from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rtfs_provider_llama.locate import parts_of

_HEAD = 4 * 1024 * 1024
_BLOCK = 16 * 1024
_BLOCKS = 256
_DISTRIBUTIONS = {"xllamacpp": "xllamacpp", "llama-cpp": "llama-cpp-python"}


def digest_of(path: Path) -> str:
    """Return the digest of a model's files.

    Raises:
        OSError: One cannot be read.
    """
    summed = blake2b(digest_size=16)
    for part in parts_of(path):
        size = part.stat().st_size
        summed.update(size.to_bytes(8, "big"))
        with part.open("rb") as file:
            summed.update(file.read(_HEAD))
            stride = max((size - _HEAD) // _BLOCKS, _BLOCK)
            for place in range(_HEAD, size, stride):
                file.seek(place)
                summed.update(file.read(_BLOCK))
            file.seek(max(size - _BLOCK, 0))
            summed.update(file.read(_BLOCK))
    return summed.hexdigest()


def backend_version(backend: str) -> str:
    """Return the version of what a backend needs, "" for one that is no distribution of ours."""
    try:
        return version(_DISTRIBUTIONS[backend]) if backend in _DISTRIBUTIONS else ""
    except PackageNotFoundError:
        return ""
