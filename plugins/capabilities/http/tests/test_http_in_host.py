"""In a host: granted by its configuration, called by programs under all its names, told with its place when wrong."""

from __future__ import annotations

import pytest

from rtfs_capability_http.plugin import rtfs_capability_sets
from rtfs_framework.api import ConfigError, RtfsError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.recording.purse import RunParked
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing import FakeClock

WHO = Provenance("rtfs-capability-http", "0.1", "rtfs_capability_http")
CATALOG = Catalog(capability_sets={entry.name: (entry, WHO) for entry in rtfs_capability_sets()})


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Return a function that opens a session with what `grant` holds."""
    monkeypatch.chdir(tmp_path)

    def load(grant, clock=None, **environ):
        path = tmp_path / "delegation.toml"
        path.write_text(f"[security]\ngrant = [{grant}]\n", encoding="utf-8")
        environ = {"RTFS_HOME": str(tmp_path), **environ}
        return Session.open(catalog=CATALOG, config_path=path, environ=environ, **({"clock": clock} if clock else {}))

    return load


def _local(web, id_="http.fetch", more=""):
    hosts = f'hosts = ["127.0.0.1:{web.good.port}"], schemes = ["http"], private = ["127.0.0.1"]'
    return f'{{ id = "{id_}", {hosts}{more} }}'


def _refused(session, program):
    with pytest.raises(RtfsError) as caught:
        session.run(program)
    return caught.value


@pytest.mark.parametrize("granted", ["http.fetch", "ccos.network.http-fetch"])
def test_programs_fetch_under_every_name(web, opened, granted):
    url = f"http://127.0.0.1:{web.good.port}/a"
    with opened(_local(web, granted)) as session:
        for call in (f'(call :http.fetch "{url}")', f'(call :ccos.network.http-fetch {{:url "{url}"}})',
                     f'(http-fetch "{url}")', f'(tool/http-fetch {{:url "{url}" :method "GET"}})'):  # fmt: skip
            result = session.run(f"(:body {call})")
            assert result.value == "fine"
            assert [each.target for each in result.calls] == ["capability http.fetch"]


def test_a_map_of_calls_fetches_at_once_and_keeps_the_order(web, opened):
    for number in range(6):
        web.good.script[f"/{number}"] = (200, {}, str(number).encode())
    with opened(_local(web)) as session:
        url = f"http://127.0.0.1:{web.good.port}/"
        assert session.run(f'(map (fn [n] (:body (http-fetch (str "{url}" n)))) [0 1 2 3 4 5])').value == tuple(
            "012345"
        )


def test_what_is_not_granted_is_an_error_that_programs_catch_and_nothing_is_sent(web, opened):
    url = f"http://127.0.0.2:{web.evil.port}/"
    with opened(_local(web)) as session:
        assert _refused(session, f'(http-fetch "{url}")').kind == "SecurityViolation"
        assert session.run(f'(try (http-fetch "{url}") (catch SecurityViolation e :kept-in))').value.name == "kept-in"
        assert "http.send" in str(_refused(session, f'(call :http.send "{url}")'))
    assert web.untouched


def test_a_secret_goes_to_its_host_and_into_no_record(web, opened):
    def echo(handler):
        handler.answer(200, {}, f"you said {handler.headers['X-Api-Key']}".encode())

    web.good.script["/"] = echo
    more = ', headers_env = { "X-Api-Key" = "EXAMPLE_KEY" }'
    with opened(_local(web, more=more), EXAMPLE_KEY="sk-0123456789abcdef") as session:
        result = session.run(f'(:body (http-fetch "http://127.0.0.1:{web.good.port}/"))')
    assert dict(web.good.seen[0][2])["X-Api-Key"] == "sk-0123456789abcdef"
    assert result.value == "you said [secret]"
    assert "sk-0123456789abcdef" not in repr(result)


def test_a_run_that_is_gone_on_with_sees_the_page_that_it_saw(web, opened):
    clock = FakeClock()
    fetch = f'(:body (call :http.fetch "http://127.0.0.1:{web.good.port}/"))'
    program = Source("page.rtfs", f'(defn main [] (let [a {fetch} b (host/sleep "2h") c {fetch}] [a c]))')
    web.good.script["/"] = (200, {}, b"then")
    with opened(_local(web), clock) as session:
        session.host.dispatcher.approvals.waits.park = 0.0
        with pytest.raises(RunParked) as parked:
            session.run(program, entry="main")
    web.good.script["/"] = (200, {}, b"now")
    clock.advance(7201)
    with opened(_local(web), clock) as session:
        assert session.resume(Resuming(run=parked.value.run)).value == ("then", "now")
    assert len(web.good.seen) == 2


@pytest.mark.parametrize(
    ("grant", "code", "words"),
    [
        ('"http.fetch"', "E0704", "granted by what it may reach"),
        ('{ id = "http.fetch" }', "E0704", "hosts"),
        ('{ id = "http.fetch", hosts = [] }', "E0705", "at least one"),
        ('{ id = "http.fetch", hosts = ["https://a.example"] }', "E0705", "no port after its colon"),
        ('{ id = "http.fetch", hosts = ["a.example"], methods = ["TRACE"] }', "E0705", "TRACE"),
        ('{ id = "http.fetch", hosts = ["a.example"], private = ["10.0.0.1/8"] }', "E0705", "10.1.0.0/16"),
        ('{ id = "http.fetch", hosts = ["a.example"], redirects = 9 }', "E0705", "redirects"),
        ('{ id = "http.fetch", hosts = ["*"], headers_env = { X = "A" } }', "E0705", "without *"),
        ('{ id = "http.fetch", hosts = ["a.example"], host = "b" }', "E0702", "host"),
    ],
)
def test_mistakes_in_a_grant_are_told_with_their_place(opened, grant, code, words):
    with pytest.raises(ConfigError) as caught:
        opened(grant).close()
    found = caught.value.diagnostics
    assert [each.code for each in found] == [code]
    assert words in f"{found[0].message} {found[0].help}"
    assert found[0].source.place(found[0].span.start)[0] == 2
