"""The observer keeps the contract of observers."""

from __future__ import annotations

from rtfs_framework.testing.conformance import ObserverConformance
from rtfs_observer_otel.observer import make_observer
from rtfs_observer_otel.settings import OtelSettings


class TestMetrics(ObserverConformance):
    def make(self):
        return make_observer(OtelSettings(prometheus_port=0))


class TestSpansForNobody(ObserverConformance):
    """Nothing listens at the endpoint."""

    def make(self):
        return make_observer(OtelSettings(endpoint="http://127.0.0.1:9/v1/traces", timeout=0.2))
