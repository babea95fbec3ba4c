"""Which index a layer uses: what is configured, or what is installed, the better one first."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal, TypeAlias

from rtfs_cache_similar.index.base import Index

Kind: TypeAlias = Literal["auto", "usearch", "annoy", "exact"]


def chosen(kind: Kind) -> Callable[[int], Index]:
    """Return what makes an index of so many dimensions.

    Raises:
        ImportError: The library of the index that is configured is not installed.
    """
    if kind == "exact":
        from rtfs_cache_similar.index.exact import ExactIndex

        return ExactIndex
    if kind == "annoy" and find_spec("annoy") is None:
        raise ImportError("annoy is not installed")
    if kind == "annoy" or (kind == "auto" and find_spec("usearch") is None and find_spec("annoy") is not None):
        from rtfs_cache_similar.index.forest import ForestIndex

        return ForestIndex
    from rtfs_cache_similar.index.growing import GrowingIndex
    from rtfs_cache_similar.index.hnsw import HnswIndex

    return lambda dimensions: GrowingIndex(dimensions, HnswIndex)
