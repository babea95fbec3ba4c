"""A real scheduler with workers in processes of their own, on loopback."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Two workers of two threads each; one that dies is started anew."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=2,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        silence_logs=40,
        env={"RTFS_HOME": str(tmp_path_factory.mktemp("workers"))},
    ) as made:
        yield made
