"""Spans and metrics of real runs; a collector that hangs slows no call."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client.parser import text_string_to_metric_families

from rtfs_framework.api import Event
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.testing.conformance.observer import EVENTS
from rtfs_observer_otel.metrics import Metrics
from rtfs_observer_otel.observer import OtelObserver
from rtfs_observer_otel.settings import OtelSettings
from rtfs_observer_otel.spans import Spans

PROGRAM = '(defn ^:delegation :local-model "echo" say [text :string] : :string text)\n(mapv say ["a" "b"])'


def spans_of(events):
    exporter = InMemorySpanExporter()
    observer = OtelObserver(Spans(OtelSettings(endpoint="http://127.0.0.1:9"), exporter), None)
    for at, (name, fields) in enumerate(events):
        observer(Event(name, 100.0 + at, fields))
    observer.spans._processor.force_flush()
    found = exporter.get_finished_spans()
    observer.close()
    return found


def test_a_call_to_a_model_has_the_conventions_of_generative_ai() -> None:
    run, call = EVENTS[0], EVENTS[2]
    (span, whole) = spans_of([run, call, ("run.ended", {"run": "r1", "status": "complete", "summary": {"calls": 1}})])
    assert (span.name, span.kind) == ("chat m-1", SpanKind.CLIENT)
    said = dict(span.attributes)
    assert (said["fn_symbol"], said["decision"], said["cache_hit"]) == ("triage", "remote big", False)
    assert (said["gen_ai.operation.name"], said["gen_ai.request.model"]) == ("chat", "m-1")
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (12, 3)
    assert said["rtfs.cost_usd"] == 0.001
    assert span.end_time - span.start_time == 200_000_000
    assert span.parent.span_id == whole.context.span_id
    assert dict(whole.attributes)["rtfs.status"] == "complete"


def test_texts_of_people_are_in_no_span() -> None:
    (_, call, *_rest) = EVENTS[0], EVENTS[5]
    name, fields = call
    words = {"error": "my name is Ann", "reasoning": "because of Ann", "args": '["Ann"]', "answer": "Ann"}
    (span,) = spans_of([(name, {**fields, **words})])
    assert "Ann" not in span.to_json()
    assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, "ProviderError")


def test_an_answer_from_memory_is_no_request() -> None:
    (span,) = spans_of([EVENTS[4]])
    assert (span.name, span.kind, span.attributes["cache_hit"]) == ("triage", SpanKind.INTERNAL, True)
    assert "gen_ai.operation.name" not in span.attributes


def samples(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics() -> None:
    metrics = Metrics(symbols=False)
    observer = OtelObserver(None, metrics)
    for name, fields in EVENTS[:-1]:
        observer(Event(name, 0.0, fields))
    found = samples(metrics.text())
    big = ("target", "remote big")
    assert found["delegation_calls_total", ("outcome", "answered"), big] == 3
    assert found["delegation_calls_total", ("outcome", "failed"), big] == 1
    assert found["delegation_calls_total", ("outcome", "refused"), big] == 1
    assert found["delegation_unpriced_total", big] == 1
    assert (found["delegation_rating_count", big], found["delegation_rating_sum", big]) == (1, 0.5)
    assert found["delegation_tokens_total", ("direction", "input"), big] == 60
    assert found["delegation_from_memory_total", ("layer", "l2")] == 1
    assert found["delegation_cache_size", ("layer", "l1")] == 1
    assert found["cache_hit_rate", ("layer", "l1")] == 0.5
    assert found["delegation_target_passes", big] == 0
    assert found["delegation_left", ("kind", "budget"), ("name", "team")] == 1
    assert found["delegation_left", ("kind", "rate"), ("name", "team")] == 0


@contextmanager
def collector(answer):
    """Serve as a collector of spans on loopback, which does as `answer` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def config(tmp_path, text):
    path = tmp_path / "delegation.toml"
    path.write_text(text)
    return path


@pytest.mark.needs("rtfs-provider-echo")
def test_a_real_run_reaches_a_collector_and_prometheus(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    bodies = []
    with collector(bodies.append) as url:
        text = f'[observers.otel]\nendpoint = "{url}"\nservice = "desk"\nprometheus_port = 0\n'
        with Session.open(config_path=config(tmp_path, text)) as session:
            session.run(Source("a.rtfs", PROGRAM))
            (heard,) = [each.observer for each in session.host.events.subscriptions]
            with urlopen(f"http://127.0.0.1:{heard.server.port}/metrics") as reply:
                series = reply.read().decode()
    assert 'delegation_calls_total{fn_symbol="say",outcome="answered",target="local-model echo"} 2.0' in series
    assert "delegation_cache_size" in series
    requests = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    names = sorted(
        span.name
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    )
    assert names == ["chat echo-1", "chat echo-1", "rtfs run"]


@pytest.mark.needs("rtfs-provider-echo")
def test_a_collector_that_hangs_slows_no_call(tmp_path, monkeypatch) -> None:
    """It answers nothing before the run is over: were a call to wait for it, the run would never be."""
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    over = threading.Event()
    with collector(lambda _: over.wait(60)) as url:
        text = f'[observers.otel]\nendpoint = "{url}"\nqueue = 4\n'
        try:
            with Session.open(config_path=config(tmp_path, text)) as session:
                many = PROGRAM.replace('["a" "b"]', "(map str (range 0 200))")
                assert len(session.run(Source("a.rtfs", many)).value) == 200
                over.set()
        finally:
            over.set()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('endpoint = "nowhere"', "'endpoint'"),
        ("prometheus_port = 70000", "'prometheus_port' must be <= 65535"),
        ("queue = 0", "'queue' must be >= 1"),
        ("port = 1", "unknown key 'port'"),
    ],
)
def test_settings_that_are_refused(tmp_path, monkeypatch, text, told) -> None:
    from rtfs_framework.api import ConfigError

    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    with (
        pytest.raises(ConfigError) as refused,
        Session.open(config_path=config(tmp_path, f"[observers.otel]\n{text}\n")),
    ):
        pass
    (found,) = refused.value.diagnostics
    assert told in found.message
    assert found.span is not None


def test_a_port_that_is_taken_is_told_and_nothing_else_breaks(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    with collector(lambda _: None) as url:
        port = url.split(":")[2].partition("/")[0]
        with Session.open(config_path=config(tmp_path, f"[observers.otel]\nprometheus_port = {port}\n")) as session:
            assert session.run(Source("a.rtfs", "(+ 1 2)")).value == 3
            (problem,) = session.problems
    assert "otel" in problem.message


def test_it_is_off_without_a_table(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    with Session.open(config_path=config(tmp_path, "")) as session:
        assert session.host.events.subscriptions == []
    with Session.open(config_path=config(tmp_path, "[observers.otel]\nenabled = false\n")) as session:
        assert session.host.events.subscriptions == []
