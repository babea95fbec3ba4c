"""Counts of a server, as Prometheus reads them. No name of a tenant, and nothing that somebody wrote, is in them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

import attrs

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@attrs.define(slots=True, eq=False)
class Metrics:
    """What has happened since the server began. Only its event loop writes."""

    running: int = 0
    answered: Counter[tuple[str, int]] = attrs.field(factory=Counter)
    """By kind of address, and status."""
    buckets: list[int] = attrs.field(factory=lambda: [0] * (len(_BOUNDS) + 1))
    seconds: float = 0.0
    replayed: int = 0
    reloads: Counter[str] = attrs.field(factory=Counter)
    """By "done" and "refused"."""
    connections: int = 0
    """Open now."""
    evicted: int = 0
    """Idle connections that were closed to make room."""
    overdue: int = 0
    """Connections whose peer was too slow."""

    def note(self, kind: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self.answered[kind, status] += 1
        self.buckets[bisect_left(_BOUNDS, seconds)] += 1
        self.seconds += seconds

    def text(self, *, most: int, generation: int, draining: bool) -> str:
        """Return the page of metrics."""
        lines = _head("rtfs_requests_total", "counter", "Answers by kind of address and status.")
        lines += [
            f'rtfs_requests_total{{kind="{kind}",status="{status}"}} {count}'
            for (kind, status), count in sorted(self.answered.items())
        ]
        lines += _head("rtfs_request_seconds", "histogram", "Time from a request's head to its answer.")
        total = 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self.buckets, strict=True):
            total += count
            lines.append(f'rtfs_request_seconds_bucket{{le="{bound}"}} {total}')
        lines += [f"rtfs_request_seconds_sum {self.seconds:.6f}", f"rtfs_request_seconds_count {total}"]
        gauges = (
            ("rtfs_requests_running", self.running, "Requests under way."),
            ("rtfs_requests_most", most, "Requests that may be under way at once."),
            ("rtfs_connections", self.connections, "Open connections."),
            ("rtfs_generation", generation, "Number of the configuration in force; each reload adds one."),
            ("rtfs_draining", int(draining), "1 once the server was told to end."),
        )
        for name, value, what in gauges:
            lines += [*_head(name, "gauge", what), f"{name} {value}"]
        lines += _head("rtfs_reloads_total", "counter", "Reloads by outcome.")
        lines += [f'rtfs_reloads_total{{outcome="{name}"}} {self.reloads[name]}' for name in ("done", "refused")]
        counters = (
            ("rtfs_replayed_total", self.replayed, "Requests that were answered as before."),
            ("rtfs_connections_evicted_total", self.evicted, "Idle connections that made room for new ones."),
            ("rtfs_connections_overdue_total", self.overdue, "Connections whose peer was too slow."),
        )
        for name, value, what in counters:
            lines += [*_head(name, "counter", what), f"{name} {value}"]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, what: str) -> list[str]:
    return [f"# HELP {name} {what}", f"# TYPE {name} {kind}"]
