"""What the tests of the file share."""

from __future__ import annotations

import pytest

from rtfs_cache_l2.layer import Keeping, ReplyCache
from rtfs_cache_l2.store import Store
from rtfs_framework.testing import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def opened(tmp_path, clock):
    """Return a function that opens the layer again; all are closed at the end."""
    made = []

    def again(capacity=1_000, ttl=None):
        made.append(ReplyCache(Store(str(tmp_path)), Keeping(capacity=capacity, ttl=ttl), clock=clock))
        return made[-1]

    yield again
    for layer in made:
        layer.close()
