"""Spans of runs and calls, handed to a collector by a thread of OpenTelemetry's own: no call ever waits for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from rtfs_observer_otel.conventions import attributes, is_request, span_name
from rtfs_observer_otel.settings import OtelSettings

_NANO = 1_000_000_000
_MOST_RUNS = 4096
"""Runs that have begun and not ended; of more the oldest are ended as they are."""
_MILLISECONDS = 1000


class Spans:
    """The spans of one host."""

    def __init__(self, settings: OtelSettings, exporter: SpanExporter | None = None) -> None:
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": settings.service}), shutdown_on_exit=False
        )
        made = exporter or OTLPSpanExporter(endpoint=settings.endpoint, timeout=settings.timeout)
        self._wait = int(settings.timeout * _MILLISECONDS)
        self._processor = BatchSpanProcessor(
            made, max_queue_size=settings.queue, max_export_batch_size=min(512, settings.queue)
        )
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("rtfs_framework")
        self._runs: OrderedDict[str, tuple[Span, Context]] = OrderedDict()

    def run_started(self, at: float, fields: Mapping[str, Any]) -> None:
        """Begin the span of a run."""
        said = {"rtfs.run": str(fields["run"]), "rtfs.tenant": str(fields.get("tenant") or "")}
        span = self._tracer.start_span("rtfs run", Context(), start_time=_nano(at), attributes=said)
        self._runs[str(fields["run"])] = span, set_span_in_context(span, Context())
        if len(self._runs) > _MOST_RUNS:
            self._runs.popitem(last=False)[1][0].end()

    def run_ended(self, at: float, fields: Mapping[str, Any]) -> None:
        """End the span of a run."""
        known = self._runs.pop(str(fields["run"]), None)
        if known is None:
            return
        summary = fields.get("summary") or {}
        span = known[0]
        span.set_attributes({"rtfs.status": str(fields["status"]), "rtfs.calls": int(summary.get("calls") or 0)})
        if summary.get("cost") is not None:
            span.set_attribute("rtfs.cost_usd", float(summary["cost"]))
        span.set_status(Status(StatusCode.ERROR if fields["status"] == "failed" else StatusCode.OK))
        span.end(_nano(at))

    def call(self, at: float, fields: Mapping[str, Any]) -> None:
        """Tell the span of a call that is over, below that of its run."""
        known = self._runs.get(str(fields.get("run")))
        span = self._tracer.start_span(
            span_name(fields),
            Context() if known is None else known[1],
            kind=SpanKind.CLIENT if is_request(fields) else SpanKind.INTERNAL,
            start_time=_nano(at - float(fields.get("seconds") or 0.0)),
            attributes=attributes(fields),
        )
        span.set_status(Status(StatusCode.ERROR if fields.get("error_kind") else StatusCode.OK))
        span.end(_nano(at))

    def close(self) -> None:
        """End what is open, and deliver what waits, within the time that one delivery may take."""
        for span, _ in self._runs.values():
            span.end()
        self._runs.clear()
        self._processor.force_flush(self._wait)
        self._provider.shutdown()


def _nano(seconds: float) -> int:
    return int(seconds * _NANO)
