"""The contract of executors, on a real cluster."""

from __future__ import annotations

import pytest

from rtfs_executor_dask.plugin import rtfs_executors
from rtfs_framework.api import ExecutorSettings
from rtfs_framework.testing.conformance import ExecutorConformance


class TestDask(ExecutorConformance):
    """Two workers in processes."""

    @pytest.fixture(autouse=True)
    def _cluster(self, cluster):
        self.address = cluster.scheduler_address

    def made(self, work):
        return rtfs_executors()[0].factory(ExecutorSettings(address=self.address, work=work))

    def out_of_reach(self, work):
        return rtfs_executors()[0].factory(ExecutorSettings(address="127.0.0.1:1", work=work))
