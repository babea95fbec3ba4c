"""Prometheus metrics of a host, served over HTTP from a thread of the library's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, start_http_server
from prometheus_client.exposition import generate_latest

from rtfs_framework.api import Health, Left
from rtfs_observer_otel.conventions import from_memory

_BUCKETS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_OUTCOMES = {"call.answered": "answered", "call.failed": "failed", "call.refused": "refused"}


class Metrics:
    """The series of one host."""

    def __init__(self, *, symbols: bool) -> None:
        registry = self.registry = CollectorRegistry()
        self._symbols = symbols
        named = ("target", "outcome", "fn_symbol") if symbols else ("target", "outcome")
        self._calls = Counter("delegation_calls", "Calls, by target and outcome.", named, registry=registry)
        self._seconds = Histogram(
            "delegation_call_seconds", "How long calls took.", ("target",), buckets=_BUCKETS, registry=registry
        )
        self._cost = Counter("delegation_cost_dollars", "US dollars, as far as known.", ("target",), registry=registry)
        self._unpriced = Counter("delegation_unpriced", "Calls of unknown cost.", ("target",), registry=registry)
        self._tokens = Counter("delegation_tokens", "Tokens.", ("target", "direction"), registry=registry)
        self._attempts = Counter("delegation_failed_attempts", "Failed attempts.", ("target",), registry=registry)
        self._memory = Counter("delegation_from_memory", "Answers from memory.", ("layer",), registry=registry)
        self._ratings = Summary("delegation_rating", "Ratings of answers, 0 to 1.", ("target",), registry=registry)
        self._runs = Counter("delegation_runs", "Runs, by how they ended.", ("status",), registry=registry)
        self._size = Gauge("delegation_cache_size", "Entries of a cache layer.", ("layer",), registry=registry)
        self._rate = Gauge("cache_hit_rate", "Hits of all look-ups, 0 to 1.", ("layer",), registry=registry)
        self._health = Gauge("delegation_target_passes", "1 where requests pass.", ("target",), registry=registry)
        self._left = Gauge("delegation_left", "0 nothing to 3 plenty.", ("kind", "name"), registry=registry)

    def call(self, event: str, fields: Mapping[str, Any]) -> None:
        """Count a call that is over."""
        target = str(fields.get("target") or "")
        labels = (target, _OUTCOMES[event], str(fields.get("symbol") or ""))
        self._calls.labels(*(labels if self._symbols else labels[:2])).inc()
        self._seconds.labels(target).observe(float(fields.get("seconds") or 0.0))
        if fields.get("cost") is None:
            self._unpriced.labels(target).inc()
        elif fields["cost"]:
            self._cost.labels(target).inc(fields["cost"])
        for direction in ("input", "output"):
            if fields.get(f"{direction}_tokens"):
                self._tokens.labels(target, direction).inc(fields[f"{direction}_tokens"])
        if fields.get("attempts"):
            self._attempts.labels(target).inc(fields["attempts"])
        if from_memory(fields):
            self._memory.labels(str(fields["cache"]).removesuffix(" hit")).inc()

    def rated(self, fields: Mapping[str, Any]) -> None:
        """Count what a program says that an answer was worth."""
        self._ratings.labels(str(fields.get("target") or "")).observe(float(fields.get("value") or 0.0))

    def run_ended(self, fields: Mapping[str, Any]) -> None:
        """Count a run, and take over the sizes of caches."""
        self._runs.labels(str(fields.get("status") or "")).inc()
        for layer, stats in (fields.get("caches") or {}).items():
            looked = stats["hits"] + stats["misses"]
            self._size.labels(layer).set(stats["size"])
            self._rate.labels(layer).set(stats["hits"] / looked if looked else 0.0)

    def health(self, fields: Mapping[str, Any]) -> None:
        """Take over the state of a breaker."""
        self._health.labels(str(fields.get("target"))).set(int(Health(fields["to"]).passes))

    def left(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Take over what is left of a budget or a rate."""
        order = list(Left)
        self._left.labels(kind, str(fields.get(kind))).set(order.index(Left(fields["left"])))

    def text(self) -> str:
        """Return all series as Prometheus reads them."""
        return generate_latest(self.registry).decode()


class Server:
    """Serves metrics until it is closed."""

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self._server, self._thread = start_http_server(port, addr=host, registry=metrics.registry)
        self.port: int = self._server.server_address[1]
        self._closed = False

    def close(self) -> None:
        """Stop serving; later calls do nothing."""
        if self._closed:
            return
        self._closed = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
