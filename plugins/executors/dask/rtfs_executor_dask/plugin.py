"""What this distribution offers to rtfs_framework. Imports nothing heavy."""

from __future__ import annotations

from rtfs_framework.api import Executor, ExecutorEntry, ExecutorSettings, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_executors() -> list[ExecutorEntry]:
    """Offer the executor `dask`."""
    return [
        ExecutorEntry(
            name="dask",
            summary="The workers of a Dask cluster: dask:HOST:PORT is its scheduler.",
            factory=_make,
        )
    ]


def _make(settings: ExecutorSettings) -> Executor:
    from rtfs_executor_dask.cluster import Cluster

    return Cluster.reached(settings)
