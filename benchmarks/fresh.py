"""The memory of suspended programs, measured in a fresh process: here, they would grow into what others have freed."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks.suspended import suspended
from benchmarks.table import Row


def suspended_programs() -> Iterable[Row]:
    """Return the rows of `suspended`."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_rows).result()


def _rows() -> list[Row]:
    return list(suspended())
