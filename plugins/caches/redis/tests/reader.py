"""A node as a process: reads one key without end, and tells when each value was given out last.

Arguments: URL, prefix, lease, the digest of a key. It writes each value when it is first seen. When its input ends it
writes a table: of each value, when the last `get` that gave it out began, by the clock that all processes of a machine
share.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from rtfs_cache_redis.layer import RedisCache, Terms
from rtfs_cache_redis.link import address_of, steady
from rtfs_cache_redis.sealing import Rows, SharedSeal
from rtfs_framework.api import CacheKey


class Wall:
    """The machine's clock."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


def main() -> None:
    url, prefix, lease, digest = sys.argv[1:]
    key = CacheKey("test", digest)
    terms = Terms(name="redis-l2", prefix=prefix, lease=float(lease))
    rows = Rows(SharedSeal(b"a key that all nodes of the tests share"), "redis-l2")
    layer = RedisCache(address_of(url, None, 2.0), rows, terms, Wall())
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    last: dict[str, float] = {}
    print("ready", flush=True)
    while not over.is_set():
        began = steady()
        record = layer.get(key)
        if record is not None:
            if record.value not in last:
                print(record.value, flush=True)
            last[record.value] = began
    stats = layer.stats()
    layer.close()
    print(json.dumps({"last": last, "hits": stats.hits, "misses": stats.misses}), flush=True)


if __name__ == "__main__":
    main()
